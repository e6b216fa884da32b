"""Runs a tool: in this process, ten times faster than in one of its own, or apart where that is the point."""

import logging
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import config
from rich import progress

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'


def run_here(tool, arguments, monkeypatch):
    """Run a tool; what it raises passes."""
    # MMEngine's logger would write to the output of the test that made it.
    monkeypatch.setattr(logging, 'raiseExceptions', False)
    # To lay out the config for the log takes longer than all the rest.
    monkeypatch.setattr(config, 'FormatCode', lambda text, **_: (text, True))
    # The bar of a tool that ended early stays, and is taken away in the middle of drawing the next, which then waits.
    monkeypatch.setattr(progress, 'track', lambda steps, *_, **__: steps)
    monkeypatch.setattr(sys, 'argv', [f'{tool}.py', *map(str, arguments)])
    runpy.run_path(str(ROOT / 'tools' / f'{tool}.py'), run_name='__main__')


def fails(tool, arguments, monkeypatch, capsys):
    """Run a tool, which must end with status 2; what it printed to stderr."""
    with pytest.raises(SystemExit) as ended:
        run_here(tool, arguments, monkeypatch)
    assert ended.value.code == 2
    return capsys.readouterr().err


def run_apart(tool, *arguments, shapes):
    """Run a tool in a process of its own; how it ended, and its output."""
    environment = {**os.environ, 'SHAPES_ROOT': str(shapes), 'OMP_NUM_THREADS': '1'}
    command = [sys.executable, f'tools/{tool}.py', *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
