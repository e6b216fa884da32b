"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def place_named(path: Path) -> Iterator[None]:
    """Put a path into errors of the system that have none: those of writing, on a disk that is full, say.

    Args:
        path: What is written.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def whole_file(path: Path, mode: str = 'w', suffix: str = '') -> Iterator[IO[Any]]:
    """Open a draft beside the file, and put it in the file's place once everything is on the disk.

    Args:
        path: The file, in a folder that exists; an older one is replaced.
        mode: 'w' or 'wb'.
        suffix: What the draft's name ends in, for writers that open it by its ``name`` and choose their format by that.

    Yields:
        The draft, open for writing.
    """
    handle, draft = tempfile.mkstemp(prefix=f'.{path.name}-', suffix=suffix, dir=path.parent)
    try:
        with place_named(path), open(draft, mode, opener=lambda *_: handle) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    # What was renamed before is deleted after: the order holds through a loss of power too.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
