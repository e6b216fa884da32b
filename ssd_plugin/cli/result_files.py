"""Where the results of each input go, so that none overwrites another's or an input, and how they get there whole."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import cv2
import numpy as np
from numpy.typing import NDArray

from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file

from .find_images import VIDEO_SUFFIXES
from .writable import check_writable


@dataclass(frozen=True)
class ResultFiles:
    """The two files of an image or video.

    Attributes:
        drawing: The image with its detections, in the format of the image; a video is an .mp4.
        detections: JSON.
    """

    drawing: Path
    detections: Path

    def write(self, drawing: Optional[NDArray[np.uint8]], detections: dict[str, Any]) -> None:
        """Write those of an image, each whole or not at all.

        Args:
            drawing: (H, W, 3) BGR; None writes the detections alone.
            detections: Plain values.
        """
        contents = {self.detections: json.dumps(detections).encode()}
        if drawing is not None:
            contents = {self.drawing: bytes(cv2.imencode(self.drawing.suffix, drawing)[1]), **contents}
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path, 'wb') as file:
                file.write(content)


def result_files(images: Iterable[Path], out_dir: Path) -> dict[Path, ResultFiles]:
    """Choose the files of each image and video.

    ``OUT/vis`` and ``OUT/preds`` get the folders below the one that all images have in common. Detections are called
    like the image without its ending, or with it if otherwise two images would be called the same.

    Args:
        images: Files, of which those with the ending of a video are one; one that is named twice is taken once.
        out_dir: ``OUT``.

    Returns:
        The files by image, in the order of the images.

    Raises:
        UserError: A drawing would replace an image, or OpenCV writes no images with this ending, or ``OUT`` cannot be
            written to.
    """
    places = {Path(os.path.abspath(image)): image for image in images}
    common = os.path.commonpath([place.parent for place in places])
    names = {image: place.relative_to(common) for place, image in places.items()}
    stems = {name.with_suffix('') for name in names.values()}
    whole = len(stems) < len(names)

    def renamed(name: Path, suffix: str) -> Path:
        return name.with_name(name.name + suffix) if whole else name.with_suffix(suffix)

    found = {
        image: ResultFiles(
            out_dir / 'vis' / (renamed(name, '.mp4') if _is_video(name) else name),
            out_dir / 'preds' / renamed(name, '.json'),
        )
        for image, name in names.items()
    }
    # A link among the inputs, and what it leads to.
    inputs = {path for place in places for path in (_entry(place), place.resolve())}
    for image, files in found.items():
        if _entry(files.drawing) in inputs:
            raise UserError(f'--out-dir: {files.drawing} is an input, expected a folder for drawings without any')
        if not _is_video(image) and not cv2.haveImageWriter(f'drawing{files.drawing.suffix}'):
            raise UserError(
                f'{image}: OpenCV cannot write a drawing with this ending, expected one such as .jpg or .png'
            )
    for kind in ('vis', 'preds'):
        check_writable(out_dir / kind, '--out-dir')
    return found


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _entry(path: Path) -> Path:
    """Follow the links to a file's folder, but not the file itself."""
    return path.parent.resolve() / path.name
