"""What the command-line tools share: an error of the user is one line, any other keeps its traceback."""

import sys
from typing import Callable

from ssd_plugin.errors import InputError

EXIT_STATUS = 2


def error_line(error: InputError) -> str:
    """Gives the one line of an error, also of one that a loader's worker process raised.

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


def run_tool(main: Callable[[], None]) -> None:
    """Runs a tool; on an ``InputError`` prints ``error: ...`` to stderr and exits with status 2.

    Args:
        main: The tool, which reads ``sys.argv`` itself.

    Raises:
        SystemExit: The tool met an ``InputError``. Any other exception passes unchanged.
    """
    try:
        main()
    except InputError as error:
        print(f'error: {error_line(error)}', file=sys.stderr)
        sys.exit(EXIT_STATUS)
