"""The list of the training images that a run skips because they cannot be read.

The processes that load images write it, and the one that trains reads it: a line for each image, with its path, a tab
and what is wrong.
"""

import os
from pathlib import Path

#: Name of the list in the folder of a run.
FILE_NAME = 'quarantine.txt'


def add_image(path: str, image: str, fault: str) -> None:
    """Add an image that is not listed yet; any number of processes may do so at a time.

    Args:
        path: The list, which need not exist.
        image: Path of the image.
        fault: What is wrong with it, in one line.
    """
    if image in listed_images(path):
        return
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, os.fsencode(f'{image}\t{fault}\n'))
    finally:
        os.close(handle)


def listed_images(path: str) -> dict[str, str]:
    """Read the list.

    Args:
        path: The list, which need not exist.

    Returns:
        What is wrong with each image, by its path.
    """
    try:
        text = os.fsdecode(Path(path).read_bytes())
    except FileNotFoundError:
        return {}
    # What stands behind the last line end is still being written.
    lines = (line.partition('\t') for line in text.split('\n')[:-1])
    return {image: fault for image, _, fault in lines}
