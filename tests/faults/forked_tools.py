"""Runs the tools as processes of their own, forked from one that has imported everything: that takes longest."""

import contextlib
import os
import runpy
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

import ssd_plugin  # noqa: F401

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'
PATIENCE = 300


class Tool:
    """A tool that runs; what it prints goes to a file."""

    def __init__(self, name: str, *arguments: object, output: Path) -> None:
        self.output = output
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()  # a group of its own, as a terminal gives to a command
            file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, 1)
            os.dup2(file, 2)
            torch.set_num_threads(1)
            sys.argv = [f'{name}.py', *map(str, arguments)]
            runpy.run_path(str(ROOT / 'tools' / f'{name}.py'), run_name='__main__')
            sys.exit(0)

    def kill(self, number: int, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.pid, number)

    def wait(self) -> int:
        """The exit status, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def children(self) -> list[int]:
        return [pid for pid, fields in processes().items() if int(fields[1]) == self.pid]

    def alive_in_group(self) -> list[int]:
        return [pid for pid, fields in processes().items() if int(fields[2]) == self.pid and fields[0] != 'Z']


def processes() -> dict[int, list[str]]:
    """State, parent, and group of every process."""
    found = {}
    for path in Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):
            found[int(path.parent.name)] = path.read_text().rpartition(')')[2].split()[:3]
    return found


def until(condition: Callable[[], object]) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


def make_shapes(folder: Path) -> None:
    """Draw the data of the config: 11 images to train on, and 3 to validate."""
    options = ['--images', 14, '--size', '96x72', '--workers', 1]
    tool = Tool('make_shapes', folder, *options, output=Path(f'{folder}.txt'))
    assert tool.wait() == 0, tool.lines()
    os.environ['SHAPES_ROOT'] = str(folder)


def train(config: Path, work: Path, *options: str, log: str = '') -> Tool:
    return Tool('train', config, '--work-dir', work, *options, output=Path(f'{work}{log}.txt'))


def killed_at(tool: Tool, condition: Callable[[], object]) -> int:
    """Kill a tool when something comes true, unless it ends before; its status."""
    ended: list[int] = []

    def ended_or_due() -> bool:
        pid, status = os.waitpid(tool.pid, os.WNOHANG)
        if pid:
            ended.append(os.waitstatus_to_exitcode(status))
        return bool(pid or condition())

    assert until(ended_or_due)
    if ended:
        return ended[0]
    tool.kill(signal.SIGKILL)
    return tool.wait()
