"""Find out before the work whether its results can be written."""

import os
import tempfile
from pathlib import Path
from typing import Union

from ssd_plugin.errors import UserError


def check_writable(folder: Union[str, Path], setting: str) -> None:
    """Try to write into a folder, or into the closest one above it that is there; nothing stays behind.

    Args:
        folder: Need not be there yet.
        setting: What names it, for the message.

    Raises:
        UserError: It is a file or below one, may not be written to, or the disk is full.
    """
    path = Path(os.path.abspath(folder))
    try:
        closest = next(place for place in (path, *path.parents) if os.path.lexists(place))
        with tempfile.TemporaryFile(dir=closest, buffering=0) as trial:
            trial.write(b'x')
    except OSError as error:
        raise UserError(
            f'{setting}: {folder} cannot be written to ({error.strerror} at {closest}), expected a folder with room on '
            'its disk that this user may write to, or the name of a new one'
        ) from error
