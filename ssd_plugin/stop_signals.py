"""End a tool by Ctrl-C or SIGTERM in an orderly way."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

# What Ctrl-C sends, and what a shell's kill, a scheduler or a shutdown does.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A signal ends the tool.

    Args:
        number: Of the signal.
        line: What the user should know; empty if another process says it.
    """

    def __init__(self, number: int, line: str) -> None:
        super().__init__(line)
        self.status = 128 + number  # as a shell has it


class _FirstSignal:
    """The handler of a process that ends in an orderly way."""

    def __init__(self, act: Callable[[int], None]) -> None:
        self._act = act

    def __call__(self, number: int, _: Any) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        # Torch makes an error of a worker's end, and here they may end by the same signal.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._act(number)


def _in_forked_process() -> None:
    # A handler in Python can come too late for a process that is about to wait for a lock, as those of a pool do: it
    # would never end.
    if isinstance(signal.getsignal(signal.SIGTERM), _FirstSignal):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


os.register_at_fork(after_in_child=_in_forked_process)


def on_first_signal(act: Callable[[int], None]) -> None:
    """Let the first signal to this process do something, and a second one end it at once.

    Processes that are forked from now on pass over Ctrl-C, which reaches them too: this one ends them.

    Args:
        act: Gets the number of the signal; runs between two steps of the main thread, wherever that is.
    """
    for each in SIGNALS:
        signal.signal(each, _FirstSignal(act))


def stop_now(number: int) -> None:
    """Stop whatever the main thread does.

    Args:
        number: Of the signal.

    Raises:
        Stopped: Always.
    """
    raise Stopped(number, f'stopped by {signal.Signals(number).name}')


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End the process on Ctrl-C or SIGTERM with one line on stderr and status 130 or 143."""
    before = {each: signal.getsignal(each) for each in (*SIGNALS, signal.SIGCHLD)}
    on_first_signal(stop_now)
    try:
        yield
    except Stopped as stop:
        if str(stop):
            print(stop, file=sys.stderr)
        sys.exit(stop.status)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
