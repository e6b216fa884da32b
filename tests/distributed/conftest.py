"""Tools in several processes of this machine, on data of a few drawn images."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='session')
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine images to train on and two to test with, in VOC's and in COCO's layout."""
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    command = [sys.executable, 'tools/make_shapes.py', folder, '--images', '11', '--size', '96x72', '--workers', '1']
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


@pytest.fixture
def start(shapes: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a command; what still runs after the test is killed."""
    started = []

    def run(*command: object) -> subprocess.Popen:
        environment = {**os.environ, 'SHAPES_ROOT': str(shapes), 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
        environment['PATH'] = f'{Path(sys.executable).parent}:{environment["PATH"]}'  # the scripts call python
        started.append(
            subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()
