"""What a conversion gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from torch import Tensor

CAFFE_MEAN_RGB = (123.0, 117.0, 104.0)


@dataclass(frozen=True)
class DataPreprocessor:
    """The preprocessing that the weights were trained with, as ``DetDataPreprocessor`` takes it.

    Attributes:
        mean: Subtracted from each channel, in the order in which the network reads them.
        std: The channels are divided by it after that.
        bgr_to_rgb: Whether the network reads RGB.
    """

    mean: tuple[float, float, float] = CAFFE_MEAN_RGB
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bgr_to_rgb: bool = True

    def settings(self) -> dict[str, Any]:
        """List the arguments, in plain types."""
        return {'mean': list(self.mean), 'std': list(self.std), 'bgr_to_rgb': self.bgr_to_rgb}


@dataclass(frozen=True)
class ConvertedWeights:
    """Weights under our names and in our conventions.

    Attributes:
        kind: Where they came from.
        state_dict: The weights.
        num_classes: Foreground classes of the head, None for a trunk alone.
        data_preprocessor: What the network wants to read, None where the file keeps its own config's.
        default_boxes: Which published tiling the boxes are predicted on, None where the source does not say.
        clip_centers: Whether the source clips the centres of its default boxes, too; the config's anchor generator then
            has to do so as well.
        notes: What the reader has to know, one line each.
    """

    kind: str
    state_dict: dict[str, Tensor]
    num_classes: Optional[int]
    data_preprocessor: Optional[DataPreprocessor] = DataPreprocessor()
    default_boxes: Optional[str] = None
    clip_centers: bool = False
    notes: tuple[str, ...] = ()

    def config_line(self) -> Optional[str]:
        """Write what the config has to hold, None where it holds it already."""
        if self.data_preprocessor is None:
            return None
        arguments = ', '.join(f'{name}={value}' for name, value in self.data_preprocessor.settings().items())
        entries = [f'data_preprocessor=dict({arguments})']
        if self.clip_centers:
            entries.append('bbox_head=dict(anchor_generator=dict(clip_centers=True))')
        return f'model = dict({", ".join(entries)})'

    def checkpoint(self, classes: Optional[Sequence[str]], meta: Optional[Mapping[str, Any]] = None) -> dict[str, Any]:
        """Make the file that MMEngine loads.

        Args:
            classes: Names of the foreground classes in order, for the inferencer, None when unknown.
            meta: What the source file's ``meta`` held, kept; a file converted before keeps the note of its origin.
        """
        earlier = (meta or {}).get('ssd_plugin')
        origin: dict[str, Any] = {'converted_from': self.kind, **(earlier if isinstance(earlier, Mapping) else {})}
        if self.data_preprocessor is not None:
            origin['data_preprocessor'] = self.data_preprocessor.settings()
        if self.default_boxes is not None:
            origin['default_boxes'] = self.default_boxes
        if self.clip_centers:
            origin['clip_centers'] = True
        kept = {**(meta or {}), 'ssd_plugin': origin}
        if classes is not None:
            kept['dataset_meta'] = {'classes': tuple(classes)}
        return {'meta': kept, 'state_dict': self.state_dict}
