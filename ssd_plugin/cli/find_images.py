"""Find the images that a command line names."""

from collections.abc import Iterable
from glob import glob
from pathlib import Path
from typing import Union

from ssd_plugin.errors import UserError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.gif')


def find_images(inputs: Iterable[Union[str, Path]], suffixes: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """List image files.

    Args:
        inputs: Image files, folders of such, and patterns of both: ``**`` stands for any folders.
        suffixes: What is taken of a folder and of the files that a pattern matches.

    Returns:
        The files, those of a folder and of a pattern in the order of their names.

    Raises:
        UserError: There is no such file, or no image in a folder.
    """
    images: list[Path] = []
    for path in map(Path, inputs):
        if path.is_file():
            images.append(path)
            continue
        files = path.iterdir() if path.is_dir() else map(Path, glob(str(path), recursive=True))
        found = sorted(file for file in files if file.suffix.lower() in suffixes)
        if not found and path.is_dir():
            raise UserError(f'{path}: holds no image, expected files ending in {", ".join(suffixes)}')
        if not found:
            raise UserError(f'{path}: no such file or folder, expected an image')
        images += found
    return images


def read_list(path: Path, expected: str) -> list[str]:
    """Read a text file with a name on each line.

    Args:
        path: The file; lines of blanks are passed over.
        expected: What it should be, for the message.

    Returns:
        The names.

    Raises:
        UserError: There is no such file, or it is no text.
    """
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else 'no text'
        raise UserError(f'{path}: {reason}, expected {expected}') from error
    return [line.strip() for line in lines if line.strip()]
