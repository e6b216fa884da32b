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


def on_first_signal(act: Callable[[int], None]) -> None:
    """Let the first signal to this process do something, and a second one end it at once.

    Processes that are forked from now on pass over Ctrl-C, which reaches them too: this one ends them.

    Args:
        act: Gets the number of the signal; runs between two steps of the main thread, wherever that is.
    """
    process = os.getpid()

    def handle(number: int, _: Any) -> None:
        if os.getpid() == process:
            for each in SIGNALS:
                signal.signal(each, signal.SIG_DFL)
            # Torch makes an error of a worker's end, and here they may end by the same signal.
            signal.signal(signal.SIGCHLD, lambda *_: None)
            act(number)
        elif number == signal.SIGTERM:
            os._exit(128 + number)

    for each in SIGNALS:
        signal.signal(each, handle)


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
