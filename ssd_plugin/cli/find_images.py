"""Find the images that a command line names."""

from collections.abc import Iterable
from pathlib import Path

from ssd_plugin.errors import UserError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


def find_images(inputs: Iterable[Path]) -> list[Path]:
    """List image files.

    Args:
        inputs: Image files, and folders of such.

    Returns:
        The files, those of a folder in the order of their names.

    Raises:
        UserError: There is no such file, or no image in a folder.
    """
    images: list[Path] = []
    for path in inputs:
        if path.is_dir():
            found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
            if not found:
                raise UserError(f'{path}: holds no image, expected files ending in {", ".join(SUFFIXES)}')
            images += found
        elif path.is_file():
            images.append(path)
        else:
            raise UserError(f'{path}: no such file or folder, expected an image')
    return images
