"""What an exported file says of itself, so that nothing about it is said elsewhere."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ssd_plugin.errors import UserError

# The name under which every format keeps it, as JSON.
KEY = 'ssd_plugin'
FORMAT_VERSION = 1


@dataclass(frozen=True)
class FileMetadata:
    """The text inside an exported file.

    Attributes:
        classes: Names by label.
        input_size: (W, H) of the images that the file takes, pixels.
        mean: Of each channel, in the order that ``channel_order`` says; subtracted first.
        std: Of each channel, as ``mean``; divided by then.
        channel_order: Of what the network was trained on, 'RGB' or 'BGR'.
        preprocess: 'inside': the file takes (B, H, W, 3) uint8 BGR, as OpenCV reads them, resized to ``input_size``.
            'outside': it takes (B, 3, H, W) float32 with channels in their order and mean and deviation taken away.
        nms: 'inside': the file gives ``num_dets`` (B,) int64, ``bboxes`` (B, D, 4), ``scores`` (B, D) and ``labels``
            (B, D) int64, best first, rows from ``num_dets`` on being padding. 'outside': it gives ``bboxes`` (B, N, 4)
            and ``scores`` (B, N, C) of every default box. Boxes are xyxy in pixels of ``input_size``.
        test_cfg: What suppression does or did, as in a config, every value written out.
        level_priors: Default boxes of each level; their sum is N.
        config: File name of the config.
        config_sha256: Of the config's text with its bases.
        checkpoint_sha256: Of the checkpoint's contents.
        versions: Of what wrote the file, by name.
        precision: Of the arithmetic in the file.
        format_version: Of this list.
    """

    classes: Sequence[str]
    input_size: Sequence[int]
    mean: Sequence[float]
    std: Sequence[float]
    channel_order: str
    preprocess: str
    nms: str
    test_cfg: dict[str, Any]
    level_priors: Sequence[int]
    config: str
    config_sha256: str
    checkpoint_sha256: str
    versions: dict[str, str] = field(default_factory=dict)
    precision: str = 'float32'
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str, place: str) -> 'FileMetadata':
        """Read it from JSON.

        Args:
            text: As the file has it.
            place: The file, for the message.

        Raises:
            UserError: The file was not written by tools/export.py, or by a later version.
        """
        try:
            content = json.loads(text)
            if content['format_version'] != FORMAT_VERSION:
                raise UserError(f'{place}: format version {content["format_version"]}, expected {FORMAT_VERSION}')
            return cls(**{one.name: content[one.name] for one in fields(cls)})
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f'{place}: has no sound {KEY} metadata, expected a file of tools/export.py') from error
