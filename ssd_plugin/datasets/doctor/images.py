"""Look at image files: at their heads, which takes a moment, or at every pixel."""

import hashlib
import io
from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np
from PIL import Image

from ssd_plugin.datasets.transforms.loading import EXPECTED, is_truncated_jpeg

from .faults import NOTED, REFUSED, SUSPECT, Fault, ImageEntry

_ORIENTATION = 0x0112  # Exif: 1 is upright, 2 to 4 are mirrored or upside down, 5 to 8 lie on their side
_ON_THEIR_SIDE = (5, 6, 7, 8)
# Pillow's modes with other than 8 bits for each of red, green and blue, and what OpenCV makes of them.
_MODES = {
    '1': 'black and white, read as colour',
    'L': 'grey, read as colour',
    'LA': 'grey with transparency, read as colour without',
    'RGBA': 'with transparency, read without',
    'CMYK': 'CMYK, read as colour',
}
# What Pillow tells a broken image with.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


@dataclass(frozen=True)
class CheckedImage:
    """What a look at a whole image file found.

    Attributes:
        faults: Everything that is wrong.
        digest: Hash of the file's content; None where there is none.
    """

    faults: list[Fault]
    digest: Optional[str]


def check_head(entry: ImageEntry) -> list[Fault]:
    """Check by the head of an image file that it is an image, and is shown as it was annotated.

    Args:
        entry: The image as its annotations describe it.

    Returns:
        What is wrong.
    """
    path = str(entry.path)
    try:
        if not entry.path.stat().st_size:
            return [Fault(REFUSED, 'image empty', path, '', '0 bytes', EXPECTED)]
        with Image.open(entry.path) as image:
            return _shown_otherwise(entry, image)
    except (FileNotFoundError, NotADirectoryError):
        return [Fault(REFUSED, 'image missing', path, '', 'no such file', EXPECTED)]
    except _UNREADABLE:
        # OpenCV reads a few formats that Pillow does not.
        if cv2.imread(path) is not None:
            return []
        return [Fault(REFUSED, 'image unreadable', path, '', 'no image', EXPECTED)]


def check_image(entry: ImageEntry) -> CheckedImage:
    """Check all of an image file.

    Args:
        entry: The image as its annotations describe it.

    Returns:
        What is wrong, and the hash of the content.
    """
    faults = check_head(entry)
    if any(fault.behaviour == REFUSED and fault.kind != 'image on its side' for fault in faults):
        return CheckedImage(faults, None)
    path, data = str(entry.path), entry.path.read_bytes()
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            faults += _kind_of(path, data, image)
    except _UNREADABLE as error:
        if is_truncated_jpeg(data) or cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is None:
            faults.append(Fault(REFUSED, 'image cut or broken', path, '', f'{error}', 'the whole file'))
    else:
        if is_truncated_jpeg(data):
            faults.append(Fault(REFUSED, 'image cut or broken', path, '', 'no end of the JPEG', 'the whole file'))
    return CheckedImage(faults, digest)


def _shown_otherwise(entry: ImageEntry, image: Image.Image) -> list[Fault]:
    """Compare the annotated size with that of the stored pixels, and with that after the turn that Exif asks for."""
    path, orientation = str(entry.path), image.getexif().get(_ORIENTATION, 1)
    stored, annotated = image.size, (entry.width, entry.height)
    shown = stored[::-1] if orientation in _ON_THEIR_SIDE else stored
    if entry.width is None or entry.height is None or annotated == shown != stored:
        return []
    text = f'{entry.width:g} x {entry.height:g}'
    if annotated == stored and orientation in _ON_THEIR_SIDE:
        found = f'Exif orientation {orientation} turns its {text} pixels, on which its boxes lie'
        behaviour = SUSPECT if entry.width == entry.height else REFUSED
        return [Fault(behaviour, 'image on its side', path, '', found, 'an image saved upright, or turned boxes')]
    if annotated != shown:
        found = f'{shown[0]} x {shown[1]} pixels'
        return [Fault(SUSPECT, 'image of another size', path, '', found, f'{text}, as annotated')]
    if orientation in (2, 3, 4):
        found = f'Exif orientation {orientation}'
        return [Fault(SUSPECT, 'image turned by Exif', path, '', found, 'an image saved upright')]
    return []


def _kind_of(path: str, data: bytes, image: Image.Image) -> list[Fault]:
    faults = []
    suffix = path[path.rfind('.') :].lower()
    # MPO, of many phones, is a JPEG with another one behind it.
    name = 'JPEG' if image.format == 'MPO' else image.format
    if Image.registered_extensions().get(suffix) != name:
        faults.append(Fault(NOTED, 'image of another format', path, '', f'{name}', f'what {suffix or "its name"} says'))
    sixteen = image.mode.startswith('I') or (image.format == 'PNG' and data[24] == 16)  # byte 24: PNG's bit depth
    if sixteen or image.mode == 'F':
        faults.append(Fault(SUSPECT, 'image of 16 bits', path, '', f'{image.mode}, read as 8 bits', '8 bits a channel'))
    elif image.mode in _MODES:
        faults.append(Fault(NOTED, f'image {image.mode}', path, '', _MODES[image.mode], '8-bit RGB'))
    return faults
