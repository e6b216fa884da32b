"""Where the results of each image go, so that none overwrites another's or an input, and how they get there whole."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file

from .writable import check_writable


@dataclass(frozen=True)
class ResultFiles:
    """The two files of an image.

    Attributes:
        drawing: The image with its detections, in the format of the image.
        detections: JSON.
    """

    drawing: Path
    detections: Path

    def write(self, drawing: NDArray[np.uint8], detections: dict[str, Any]) -> None:
        """Write both, each whole or not at all.

        Args:
            drawing: (H, W, 3) RGB.
            detections: Plain values.
        """
        _, encoded = cv2.imencode(self.drawing.suffix, drawing[..., ::-1])
        for path, content in ((self.drawing, bytes(encoded)), (self.detections, json.dumps(detections).encode())):
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path, 'wb') as file:
                file.write(content)


def result_files(images: Iterable[Path], out_dir: Path) -> dict[Path, ResultFiles]:
    """Choose the files of each image.

    ``OUT/vis`` and ``OUT/preds`` get the folders below the one that all images have in common. Detections are called
    like the image without its ending, or with it if otherwise two images would be called the same.

    Args:
        images: Files; one that is named twice is taken once.
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
    found = {
        image: ResultFiles(
            out_dir / 'vis' / name, out_dir / 'preds' / (f'{name}.json' if whole else name.with_suffix('.json'))
        )
        for image, name in names.items()
    }
    # A link among the inputs, and what it leads to.
    inputs = {path for place in places for path in (_entry(place), place.resolve())}
    for image, files in found.items():
        if _entry(files.drawing) in inputs:
            raise UserError(f'--out-dir: {files.drawing} is an input, expected a folder for drawings without any')
        if not cv2.haveImageWriter(f'drawing{files.drawing.suffix}'):
            raise UserError(
                f'{image}: OpenCV cannot write a drawing with this ending, expected one such as .jpg or .png'
            )
    for kind in ('vis', 'preds'):
        check_writable(out_dir / kind, '--out-dir')
    return found


def _entry(path: Path) -> Path:
    """Follow the links to a file's folder, but not the file itself."""
    return path.parent.resolve() / path.name
