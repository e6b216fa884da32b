"""Keep the terminal of a tool to what its user reads; the log file of a run has everything, and so has ``--debug``."""

import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO, cast

from mmengine.dist import is_main_process
from mmengine.logging import MMLogger
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

DEBUG = '--debug'

# How messages begin that the libraries below have in every run, whatever its user does.
_LOGGED = re.compile(
    r'\n-+\nSystem environment:'  # versions, and how PyTorch was compiled
    r'|Config:\n'  # which lies in the work folder too
    r'|Hooks will be executed in the following order'
    r'|paramwise_options -- '  # a line for each setting of each parameter
    r'|Distributed training is not used, all SyncBatchNorm'  # of which there are none
    r'|Using env variable `'  # twice; a data set that is not there is named with its variable
    r'|Exp name: '  # before every epoch's end
    r'|Checkpoints will be saved to '  # the work folder, which the header has
    r'|Load(s|ed)? checkpoint (by local backend )?from '  # three times; the header has it
    # mmengine's advice to itself about its own calls.
    r'|"FileClient" will be deprecated|"HardDiskBackend" is the alias'
    # mmdet has no registries of these kinds, and needs none.
    r'|Failed to search registry with scope "mmdet" in the "(function|inferencer|strategy)" registry'
)
# What pycocotools and mmengine print, to no logger.
_PRINTED = re.compile(
    r'(loading annotations into memory|creating index|index created|Loading and preparing results|(DONE|Done) \(t='
    r'|Running per image evaluation|Evaluate annotation type|Accumulating evaluation results'
    r'|Loads checkpoint by local backend from )'
)
# Module and message of warnings about what mmengine's own visualizer does.
_WARNED = (
    # An inferencer draws without saving through it.
    ('mmengine.visualization.visualizer', "Failed to add <class 'mmengine.visualization.vis_backend.LocalVisBackend'>"),
    # Boxes end at the border, to rounding, and their captions beyond.
    ('mmengine.visualization.visualizer', 'Warning: The (bbox|polygon|text) is out of bounds'),
)


def debugging() -> bool:
    """Tell whether the command line asks for everything; arguments can be wrong, so it is read as it is."""
    return DEBUG in sys.argv


class _Needed(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        text = str(record.msg)
        return record.levelno >= logging.ERROR or not (_LOGGED.match(text) or _PRINTED.match(text))


_NEEDED = _Needed()


def keep_short(logger: logging.Logger) -> None:
    """Keep off the terminal what a logger of mmengine says in every run; its files still get it.

    Args:
        logger: An ``MMLogger``.
    """
    for handler in [] if debugging() else logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(_NEEDED)


class _Output:
    """Standard output, of which the lines that libraries print in every run go to the log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._in_log = False

    def write(self, text: str) -> int:
        # ``print`` writes the end of a line by itself.
        if self._in_log and text == '\n':
            self._in_log = False
            return len(text)
        self._in_log = _PRINTED.match(text) is not None
        if not self._in_log:
            return self._stream.write(text)
        MMLogger.get_current_instance().info(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def short_terminal() -> Iterator[None]:
    """Keep off the terminal what libraries log, print and warn of in every run; with ``--debug`` nothing is."""
    if debugging():
        yield
        return
    keep_short(MMLogger.get_current_instance())
    with warnings.catch_warnings(), redirect_stdout(cast(TextIO, _Output(sys.stdout))):
        for module, message in _WARNED:
            warnings.filterwarnings('ignore', message, module=re.escape(module))
        yield


@contextmanager
def busy(description: str) -> Iterator[None]:
    """Show a moving bar and the time while something is done whose length is not known.

    It goes away afterwards; where the output is no terminal there is none.

    Args:
        description: What is done.
    """
    columns = TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn()
    seen = is_main_process() and sys.stdout.isatty()
    with Progress(*columns, transient=True, disable=not seen) as progress:
        progress.add_task(description, total=None)
        yield


def aligned(rows: dict[str, str]) -> str:
    """Write names and values as lines, the values below each other.

    Args:
        rows: Value by name, at most 15 letters.
    """
    return '\n'.join(f'{name:<16}{value}' for name, value in rows.items())
