"""Time several ways to do one thing against each other."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import torch

Clock = Callable[[], float]


@dataclass(frozen=True)
class Figure:
    """What repeated measurements gave.

    Attributes:
        median: Of all of them.
        low: First quartile.
        high: Third quartile.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> 'Figure':
        """Summarise measurements.

        Raises:
            ValueError: There are none.
        """
        if not samples:
            raise ValueError('samples is empty, expected at least one measurement')
        low, median, high = np.percentile(samples, (25, 50, 75)).tolist()
        return cls(median, low, high)


@dataclass(frozen=True)
class Budget:
    """How long to go on measuring.

    Attributes:
        rounds: At least so many.
        seconds: Further rounds start until so much time is spent.
        warmups: Rounds before them that do not count.
    """

    rounds: int
    seconds: float = 0.0
    warmups: int = 1


def interleave(
    sides: Mapping[str, Callable[[], Any]], budget: Budget, device: str = 'cpu', clock: Clock = time.perf_counter
) -> dict[str, list[float]]:
    """Run the sides in turn, A B A B, so that whatever else slows the machine down slows all of them.

    Args:
        sides: What to run, by name.
        budget: When to stop.
        device: 'cpu' or 'cuda', whose queued work belongs to the side that queued it.
        clock: Gives seconds.

    Returns:
        Seconds of every round, by side.
    """
    for _ in range(budget.warmups):
        for run in sides.values():
            run()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    start = clock()
    done = 0
    while done < budget.rounds or clock() - start < budget.seconds:
        for name, run in sides.items():
            _finish(device)
            begin = clock()
            run()
            _finish(device)
            seconds[name].append(clock() - begin)
        done += 1
    return seconds


def _finish(device: str) -> None:
    if device == 'cuda':
        torch.cuda.synchronize()


def milliseconds(seconds: Sequence[float]) -> Figure:
    """Summarise durations, in milliseconds."""
    return Figure.of([1000 * duration for duration in seconds])


def per_second(count: int, seconds: Sequence[float]) -> Figure:
    """Summarise the rates of rounds that each handled ``count`` things."""
    return Figure.of([count / duration for duration in seconds])
