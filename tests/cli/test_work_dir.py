"""A run takes no folder from another one."""

import os
import signal
import socket
import time
from pathlib import Path
from typing import Optional

import pytest
from mmengine.config import Config

from ssd_plugin.cli.work_dir import check_work_dir, claim_work_dir
from ssd_plugin.errors import UserError


def claim(folder: Path, resume: bool = False, load_from: Optional[Path] = None) -> None:
    config = Config({'work_dir': str(folder), 'resume': resume, 'load_from': load_from and str(load_from)})
    check_work_dir(config)
    claim_work_dir(config)


@pytest.mark.parametrize('name', ['last_checkpoint', 'epoch_3.pth', 'iter_300.pth'])
def test_checkpoints_of_another_run_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    line = f'{tmp_path}: {name} of another run is there, expected --resume to go on with that run, or another'
    with pytest.raises(UserError, match=line):
        claim(tmp_path)
    with pytest.raises(UserError, match=line):
        claim(tmp_path, resume=True, load_from=tmp_path / 'other' / 'epoch_3.pth')
    with pytest.raises(UserError, match=line):
        claim(tmp_path, load_from=tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    claim(tmp_path, resume=True)
    claim(tmp_path, resume=True, load_from=tmp_path / name)


def test_logs_and_weights_from_elsewhere_are_no_run(tmp_path: Path) -> None:
    (tmp_path / '20260101_000000').mkdir()
    for name in ('ssd300.py', 'vgg16_converted.pth'):
        (tmp_path / name).touch()
    claim(tmp_path)
    claim(tmp_path / 'new' / 'folder')


def test_two_at_once_are_refused_until_the_first_has_died(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    first = os.fork()  # faster than importing the package in a new process
    if first == 0:
        claim(tmp_path)
        # A child that lives on when this one is killed, as a loader's worker does for some seconds.
        child = os.fork()
        if child:
            os.write(writing, b'%d' % child)
        time.sleep(600)
        os._exit(1)
    child = int(os.read(reading, 100))
    try:
        with pytest.raises(UserError, match=rf'is writing there \(process {first} on {socket.gethostname()}\)'):
            claim(tmp_path, resume=True)
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)
        os.kill(child, 0)  # still there
        claim(tmp_path, resume=True)
    finally:
        os.kill(child, signal.SIGKILL)
