"""Look at image files: at their heads, which takes a moment, or at every pixel."""

import hashlib
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os.path import isfile  # Path.is_file() raises for a name that is too long
from pathlib import Path
from typing import Any, Optional

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssd_plugin.datasets.transforms.loading import EXPECTED, LoadImage
from ssd_plugin.errors import UserError

from .faults import NOTED, REFUSED, REPAIRED, SKIPPED, SUSPECT, Fault, ImageEntry

_ORIENTATION = 0x0112  # Exif: 1 is upright, 2 to 4 are mirrored or upside down, 5 to 8 lie on their side
_ON_THEIR_SIDE = (5, 6, 7, 8)
#: The kind of fault of an image that is trained on as it is stored, and refused in validation.
ON_ITS_SIDE = 'image on its side'
# Pillow's modes with other than 8 bits for each of red, green and blue, and what OpenCV makes of them.
_MODES = {
    '1': 'black and white, read as colour',
    'L': 'grey, read as colour',
    'LA': 'grey with transparency, read as colour without',
    'RGBA': 'with transparency, read without',
    'CMYK': 'CMYK, read as colour',
}
_EIGHT_BITS = ('JPEG', 'WEBP', 'BMP', 'GIF')
# What Pillow tells a broken image with.
UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, ArithmeticError, struct.error)
# OpenCV reads no more, and Pillow calls the second one a decompression bomb.
_MOST_PIXELS, _MANY_PIXELS = 2**30, 178_956_970
#: The kinds of faults after which there are no pixels to look at, or too many.
UNSEEN = ('image missing', 'image empty', 'image unreadable', 'image too large', 'image very large')


@dataclass(frozen=True)
class CheckedImage:
    """What a look at a whole image file found.

    Attributes:
        faults: Everything that is wrong.
        digest: Hash of the file's content; None where there is none.
    """

    faults: list[Fault]
    digest: Optional[str]


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open an image file without reading its pixels, however many it says it has.

    Args:
        path: The file.

    Yields:
        Pillow's image.
    """
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            # Of metadata that are broken, which nothing here reads.
            warnings.simplefilter('ignore')
            with Image.open(path) as image:
                yield image
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def read_pixels(path: Path, flag: int = cv2.IMREAD_COLOR) -> Optional[NDArray[Any]]:
    """Read what OpenCV makes of a file, be it cut or broken.

    Args:
        path: The file.
        flag: How OpenCV reads it.

    Returns:
        (H, W, 3) uint8 BGR, or what else the flag makes; None if it is no image.
    """
    try:
        return cv2.imread(str(path), flag) if isfile(path) else None
    except cv2.error:
        return None


def shown_size(path: Path) -> Optional[tuple[int, int]]:
    """Read how wide and high an image is when it is shown upright, as Exif asks for.

    Args:
        path: The file.

    Returns:
        Width and height in pixels; None if it is no image.
    """
    try:
        with opened(path) as image:
            return image.size[::-1] if _orientation(image) in _ON_THEIR_SIDE else image.size
    except UNREADABLE:
        pixels = read_pixels(path)
        return None if pixels is None else (pixels.shape[1], pixels.shape[0])


def check_head(entry: ImageEntry) -> list[Fault]:
    """Check by the head of an image file that it is an image, and is shown as it was annotated.

    Args:
        entry: The image as its annotations describe it.

    Returns:
        What is wrong, as it is for a validation image.
    """
    path = str(entry.path)
    try:
        if not entry.path.stat().st_size:
            return [Fault(REFUSED, 'image empty', path, '', '0 bytes', EXPECTED)]
        with opened(entry.path) as image:
            if not cv2.haveImageReader(path):
                found = f'{image.format}, which OpenCV does not read'
                return [Fault(REFUSED, 'image unreadable', path, '', found, EXPECTED)]
            return _shown_otherwise(entry, image) + _too_large(path, *image.size)
    except (FileNotFoundError, NotADirectoryError):
        return [Fault(REFUSED, 'image missing', path, '', 'no such file', EXPECTED)]
    except UNREADABLE:
        # OpenCV reads a few formats that Pillow does not.
        if read_pixels(entry.path) is not None:
            return []
        return [Fault(REFUSED, 'image unreadable', path, '', 'no image', EXPECTED)]


def check_image(entry: ImageEntry) -> CheckedImage:
    """Check all of an image file.

    Args:
        entry: The image as its annotations describe it.

    Returns:
        What is wrong, as it is for a validation image, and the hash of the content.
    """
    faults = check_head(entry)
    if any(fault.kind in UNSEEN for fault in faults):
        return CheckedImage(faults, None)
    path = str(entry.path)
    try:
        LoadImage()({'img_path': path})
    except UserError as error:
        found, _, expected = str(error).removeprefix(f'{path}: ').rpartition(': expected ')
        faults.append(Fault(REFUSED, 'image cut or broken', path, '', found, expected))
    else:
        faults += _kind_of(entry.path)
    return CheckedImage(faults, hashlib.sha1(entry.path.read_bytes(), usedforsecurity=False).hexdigest())


def in_training(fault: Fault) -> Fault:
    """Say what becomes of a fault if the image is trained on: ``LoadImage`` loads it, or passes it over.

    Args:
        fault: Of an image, as it is for a validation image.

    Returns:
        The fault with the behaviour of a training.
    """
    if fault.behaviour != REFUSED:
        return fault
    return replace(fault, behaviour=REPAIRED if fault.kind == ON_ITS_SIDE else SKIPPED)


def _orientation(image: Image.Image) -> int:
    # PNG's own method reads all pixels first.
    orientation = Image.Image.getexif(image).get(_ORIENTATION)
    return orientation if isinstance(orientation, int) else 1


def _too_large(path: str, width: int, height: int) -> list[Fault]:
    found = f'{width} x {height} pixels'
    if width * height > _MOST_PIXELS:
        return [Fault(REFUSED, 'image too large', path, '', found, f'at most {_MOST_PIXELS}, which OpenCV reads')]
    if width * height > _MANY_PIXELS:
        expected = f'at most {_MANY_PIXELS}: loading takes 3 bytes for each'
        return [Fault(SUSPECT, 'image very large', path, '', found, expected)]
    return []


def _shown_otherwise(entry: ImageEntry, image: Image.Image) -> list[Fault]:
    """Compare the annotated size with that of the stored pixels, and with that after the turn that Exif asks for."""
    path, orientation = str(entry.path), _orientation(image)
    stored, annotated = image.size, (entry.width, entry.height)
    shown = stored[::-1] if orientation in _ON_THEIR_SIDE else stored
    if entry.width is None or entry.height is None or annotated == shown != stored:
        return []
    text = f'{entry.width:g} x {entry.height:g}'
    if annotated == stored and orientation in _ON_THEIR_SIDE:
        found = f'Exif orientation {orientation} turns its {text} pixels, on which its boxes lie'
        behaviour = SUSPECT if entry.width == entry.height else REFUSED
        return [Fault(behaviour, ON_ITS_SIDE, path, '', found, 'an image saved upright, or turned boxes')]
    if annotated != shown:
        found, expected = f'{shown[0]} x {shown[1]} pixels', f'{text}, on which its boxes were annotated'
        return [Fault(REFUSED, 'image of another size', path, '', found, expected)]
    if orientation in (2, 3, 4):
        found = f'Exif orientation {orientation}'
        return [Fault(SUSPECT, 'image turned by Exif', path, '', found, 'an image saved upright')]
    return []


def _kind_of(file: Path) -> list[Fault]:
    path, suffix, faults = str(file), file.suffix.lower(), []
    try:
        with opened(file) as image:
            # MPO, of many phones, is a JPEG with another one behind it.
            kind, frames = ('JPEG', 1) if image.format == 'MPO' else (image.format, getattr(image, 'n_frames', 1))
            mode = image.mode
    except UNREADABLE:
        kind, frames, mode = Image.registered_extensions().get(suffix), 1, ''
    if Image.registered_extensions().get(suffix) != kind:
        faults.append(Fault(NOTED, 'image of another format', path, '', f'{kind}', f'what {suffix or "its name"} says'))
    if frames > 1:
        faults.append(Fault(NOTED, 'image of several frames', path, '', f'{frames}, the first is read', '1'))
    if mode in _MODES:
        faults.append(Fault(NOTED, f'image {mode}', path, '', _MODES[mode], '8-bit RGB'))
    if kind not in _EIGHT_BITS:
        stored = read_pixels(file, cv2.IMREAD_UNCHANGED)
        if stored is not None and stored.dtype != np.uint8:
            found = f'{stored.dtype}, read as 8 bits'
            faults.append(Fault(SUSPECT, 'image of 16 bits', path, '', found, '8 bits a channel'))
    return faults
