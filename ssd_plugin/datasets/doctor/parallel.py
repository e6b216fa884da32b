"""Spread work over processes."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ssd_plugin.worker_pool import worker_pool

Item = TypeVar('Item')
Result = TypeVar('Result')

_CHUNK = 64


def spread(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Apply a function to each item, in as many processes as there are processors.

    Args:
        function: Importable by its name, or a partial of such a one.
        items: What it is applied to; a few are done in this process, which is faster than starting others.

    Yields:
        The results, in the order of the items.
    """
    processes = min(os.cpu_count() or 1, len(items) // _CHUNK)
    if processes < 2:
        yield from map(function, items)
        return
    with worker_pool(processes) as pool:
        yield from pool.map(function, items, chunksize=_CHUNK)
