"""What the command-line tools share: their parser; an error of the user is one line, any other keeps its traceback."""

import errno
import re
import sys
import traceback
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Callable, NoReturn, Optional

import torch

from ssd_plugin.errors import EXIT_STATUS, UserError
from ssd_plugin.stop_signals import ended_by_signals

from .launch import first_to_fail
from .terminal import DEBUG, debugging, short_terminal


def error_line(error: UserError) -> str:
    """Give the one line of an error, also of one that a loader's worker process raised.

    PyTorch raises a worker's error again with the worker's whole traceback as the message, which ends in the line
    that a traceback of the original error ends in.

    Args:
        error: As it was caught.

    Returns:
        What the user has to put right.
    """
    lines = str(error).strip().splitlines()
    if len(lines) < 2:
        return ''.join(lines)
    kind = type(error)
    return lines[-1].removeprefix(f'{kind.__module__}.{kind.__qualname__}: ')


# What mmcv's loader says of an image it cannot read. Test pipelines use it: mmdet's inferencer looks for its name.
_MMCV_LOADER = re.compile(r'mmcv[/\\]transforms[/\\]loading\.py')
_UNREADABLE = re.compile(r"failed to load image: (?P<broken>.+)|No such file or directory: '(?P<missing>.+)'")


def unreadable_image(error: Exception) -> Optional[str]:
    """Give the one line for an image that mmcv's loader cannot read.

    Args:
        error: As it was caught, in this process or sent by a loader's worker.

    Returns:
        The line, or None for any other error.
    """
    stack = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
    # The last line: a worker's message holds its whole traceback, source lines included.
    found = _UNREADABLE.search(str(error).strip().rpartition('\n')[2])
    if found is None or not _MMCV_LOADER.search(stack):
        return None
    if found['missing']:
        return f'{found["missing"]}: no such file, expected an image'
    return f'{found["broken"]}: not decodable, expected an image that OpenCV reads'


_ROOM = 'room on the disk'
_RIGHT = 'a place that this user may read or write'
# What a place can refuse, whatever the tool does there; a file that is missing is looked for beforehand.
_PLACES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHT),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), 'a folder, or a new name'),
    errno.EISDIR: 'a file',
    errno.ENAMETOOLONG: 'a shorter name',
}
# PyTorch's on a CPU, and OpenCV's.
_NO_MEMORY = re.compile(r"can't allocate memory|Insufficient memory|Failed to allocate")


def unusable_place(error: Exception) -> Optional[str]:
    """Give the one line for a file or folder that cannot be read or written.

    Args:
        error: As it was caught.

    Returns:
        The line, or None for any other error.
    """
    if not isinstance(error, OSError):
        return None
    expected = _PLACES.get(error.errno or 0)
    return f'{error.filename or "a file"}: {error.strerror}, expected {expected}' if expected else None


def out_of_memory(error: Exception) -> Optional[str]:
    """Give the one line for memory that is not there, on a device or in the machine.

    Args:
        error: As it was caught.

    Returns:
        The line, or None for any other error.
    """
    known = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or _NO_MEMORY.search(str(error))
    reason = (str(error).strip().splitlines() or ['MemoryError'])[0]
    return f'out of memory ({reason}), expected a smaller batch or input size' if known else None


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f'{message}; {self.prog} --help shows what there is')


def tool_parser(description: Optional[str]) -> ArgumentParser:
    """Make the parser of a tool, with the option that every tool has.

    Args:
        description: The tool's ``__doc__``: its purpose, and an example.

    Returns:
        A parser that shows the description as it was written, and raises a ``UserError`` for wrong arguments.
    """
    parser = _Parser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument(DEBUG, action='store_true', help='show where an error came from, and all that libraries say')
    return parser


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; on a ``UserError`` and what has a line of its own print ``error: ...`` to stderr and exit with 2.

    With ``--debug`` the traceback comes before that line; without it, what libraries say in every run stays away.

    Of several processes only the first that fails says so: the others fail because they lost it.

    Ctrl-C and SIGTERM end it with one line too, see :func:`ended_by_signals`.

    Args:
        main: The tool, which reads ``sys.argv`` itself.

    Raises:
        SystemExit: The tool met one. Any other exception passes unchanged.
    """
    debug = debugging()  # Read first: ``python -m ssd_plugin`` changes the arguments.
    try:
        with ended_by_signals(), short_terminal():
            main()
    except Exception as error:
        if isinstance(error, UserError):
            line: Optional[str] = error_line(error)
        else:
            line = unusable_place(error) or unreadable_image(error) or out_of_memory(error)
        if first_to_fail():
            if line is None:
                raise
            if debug:
                traceback.print_exc()
            print(f'error: {line}', file=sys.stderr)
        sys.exit(EXIT_STATUS)
