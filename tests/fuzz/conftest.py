"""Cases that are known by a number: the fast suite takes the first ones, ``make test-slow`` all."""

import random
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

SECONDS = 10


@pytest.fixture
def rng(number: int) -> Iterator[random.Random]:
    """What a case draws; a case that computes for longer than ``SECONDS`` fails."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f'a case of more than {SECONDS} s')

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    yield random.Random(number)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Count the outcomes of each kind of file, for docs/reliability.md."""
    counts: dict[str, Counter[str]] = {}
    for report in terminalreporter.stats.get('passed', ()):
        for kind, outcome in report.user_properties:
            counts.setdefault(kind, Counter())[outcome] += 1
    for kind, outcomes in sorted(counts.items()):
        found = ', '.join(f'{count} {outcome}' for outcome, count in sorted(outcomes.items()))
        terminalreporter.write_line(f'fuzz: {sum(outcomes.values())} of {kind}: {found}')
