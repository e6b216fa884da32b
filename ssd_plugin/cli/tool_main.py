"""What the command-line tools share: an error of the user is one line, any other keeps its traceback."""

import re
import sys
import traceback
from typing import Callable, Optional

from ssd_plugin.errors import EXIT_STATUS, UserError
from ssd_plugin.stop_signals import ended_by_signals

from .launch import first_to_fail


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


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; on a ``UserError`` or an unreadable image print ``error: ...`` to stderr and exit with status 2.

    Of several processes only the first that fails says so: the others fail because they lost it.

    Ctrl-C and SIGTERM end it with one line too, see :func:`ended_by_signals`.

    Args:
        main: The tool, which reads ``sys.argv`` itself.

    Raises:
        SystemExit: The tool met one. Any other exception passes unchanged.
    """
    try:
        with ended_by_signals():
            main()
    except Exception as error:
        line: Optional[str] = None
        if isinstance(error, UserError):
            line = error_line(error)
        elif isinstance(error, (AssertionError, FileNotFoundError)):
            line = unreadable_image(error)
        if first_to_fail():
            if line is None:
                raise
            print(f'error: {line}', file=sys.stderr)
        sys.exit(EXIT_STATUS)
