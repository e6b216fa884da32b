"""Read lists, name what is missing, write whole files or none: what the preparations share."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable

from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file

#: Wraps what is gone through, given a description and the number of steps, and shows how far it is.
Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]

_MAX_NAMES = 3


def expect(path: Path, kind: str, source: str) -> None:
    """Require a file or folder.

    Args:
        path: Where it must be.
        kind: 'file' or 'folder'.
        source: Where to get it.

    Raises:
        UserError: It is not there.
    """
    if not (path.is_dir() if kind == 'folder' else path.is_file()):
        raise UserError(f'{path} does not exist, expected a {kind} from {source}')


def read_names(path: Path) -> list[str]:
    """Read the first column of an image list.

    Args:
        path: One image a line, perhaps with a number behind it.

    Returns:
        The names in the list's order.

    Raises:
        UserError: It is no text.
    """
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: no text ({error}), expected a name of an image a line') from error
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def expect_members(names: Iterable[str], folder: Path, suffix: str, source: str) -> None:
    """Require a file of each name in a folder, which is listed once.

    Args:
        names: Without ending.
        folder: Where the files must be.
        suffix: Their ending, with the dot.
        source: Where to get them.

    Raises:
        UserError: Some are not there; the line names the first.
    """
    expect(folder, 'folder', source)
    there = set(os.listdir(folder))
    missing = [name for name in names if f'{name}{suffix}' not in there]
    if missing:
        first = ', '.join(f'{name}{suffix}' for name in missing[:_MAX_NAMES])
        more = ', ...' if len(missing) > _MAX_NAMES else ''
        raise UserError(f'{folder}: {len(missing)} files are missing ({first}{more}), expected them from {source}')


def expect_count(found: int, wanted: int, what: str) -> None:
    """Compare a number of images with the published one.

    Args:
        found: What is there.
        wanted: What was published.
        what: File or folder.

    Raises:
        UserError: They differ.
    """
    if found != wanted:
        raise UserError(f'{what}: {found} images, expected {wanted}; is the archive whole?')


def write_json(content: Any, path: Path) -> None:
    """Write a JSON file, whole or not at all, over an older one.

    Args:
        content: Plain values.
        path: The file; its folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        json.dump(content, file)
