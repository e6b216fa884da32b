"""Processes that end with the tool that started them, however it ends."""

import ctypes
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Callable, Optional

_PR_SET_PDEATHSIG = 1


@contextmanager
def worker_pool(processes: int, start: Optional[Callable[[], Any]] = None) -> Iterator[ProcessPoolExecutor]:
    """Open a pool of processes, which on an error or Ctrl-C ends with the work in hand and leaves the rest.

    Args:
        processes: How many.
        start: What each of them does first; importable by its name, or a partial of such a function.

    Yields:
        The pool. On Linux its processes die with the main thread of this one even if that is killed; by themselves
        they would wait for work for ever.
    """
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(start,)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(start: Optional[Callable[[], Any]]) -> None:
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if start is not None:
        start()
