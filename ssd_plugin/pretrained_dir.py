"""A folder of pretrained weights for machines that have no network: with it set nothing is downloaded."""

import os
from pathlib import Path
from typing import Optional

from .errors import UserError

PRETRAINED_DIR = 'SSD_PRETRAINED_DIR'


def local_weights(name: str, source: str) -> Optional[Path]:
    """Find weights in the folder that the environment variable ``SSD_PRETRAINED_DIR`` names.

    Args:
        name: Of the file.
        source: What the config asks for, for the message.

    Returns:
        The file, or None where the variable is not set.

    Raises:
        UserError: The variable is set, and the file is not there.
    """
    folder = os.environ.get(PRETRAINED_DIR)
    if folder is None:
        return None
    file = Path(folder).expanduser() / name
    if not file.is_file():
        raise UserError(f'{source}: {PRETRAINED_DIR} is set, and {file} does not exist, expected the weights there')
    return file


def not_downloaded(name: str, source: str, reason: object) -> UserError:
    """Say which file belongs where after a download that failed.

    Args:
        name: Of the file.
        source: What the config asks for.
        reason: Why it failed.
    """
    return UserError(
        f'{source}: not downloaded ({reason}), expected a network, or {name} in a folder that the environment '
        f'variable {PRETRAINED_DIR} names'
    )
