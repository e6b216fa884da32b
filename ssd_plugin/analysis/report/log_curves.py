"""Read the learning curves of a run from its own logs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

# What LoggerHook writes beside losses and rates.
_TIMES = ('data_time', 'time')


class Point(NamedTuple):
    """One line of a log.

    Attributes:
        step: Iteration of the training; of a validation the epoch, or the iteration in a run that counts iterations.
        values: What was logged, by name.
    """

    step: int
    values: dict[str, float]


class LogCurves(NamedTuple):
    """What a run has logged so far, in order.

    Attributes:
        train: Points of the training: losses, ``lr``, ``grad_norm``, ``epoch``.
        val: Points of the validation: its metrics.
    """

    train: list[Point]
    val: list[Point]


def read_curves(work_dir: Path) -> LogCurves:
    """Read and join the logs of a run and of every start that went on from it.

    Where a later start repeats steps of an earlier one, because its checkpoint was older than the last line, those of
    the later one count.

    Args:
        work_dir: Holds a folder for each start, named by its time, with ``vis_data/scalars.json`` in it.

    Returns:
        The curves, empty where nothing was logged there (another backend than ``LocalVisBackend``, say).
    """
    curves = LogCurves([], [])
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        started = LogCurves([], [])
        for line in _lines(path):
            step = int(line.pop('step'))
            training = any(name.startswith('loss') for name in line)
            numbers = {name: float(value) for name, value in line.items() if name not in _TIMES}
            (started.train if training else started.val).append(Point(step, numbers))
        for joined, new in zip(curves, started):
            if new:
                joined[:] = [point for point in joined if point.step < new[0].step]
                joined += new
    return curves


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    # What stands behind the last line end is still being written.
    for line in path.read_text().split('\n')[:-1]:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:  # a run that was killed in the middle of a line, and resumed behind it
            continue
