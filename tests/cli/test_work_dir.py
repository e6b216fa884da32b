"""A run takes no folder from another one."""

import os
import signal
import socket
import subprocess
import sys
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
    # The child of the one that is killed lives on, as a loader's worker does for some seconds.
    program = (
        'import os, sys, time, ssd_plugin\n'
        'from mmengine.config import Config\n'
        'from ssd_plugin.cli.work_dir import claim_work_dir\n'
        'claim_work_dir(Config(dict(work_dir=sys.argv[1])))\n'
        'child = os.fork()\n'
        'if child: print(child, flush=True)\n'
        'time.sleep(600)\n'
    )
    command = [sys.executable, '-c', program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        child = int(first.stdout.readline())
        try:
            holder = rf'another run is writing there \(process {first.pid} on {socket.gethostname()}\)'
            with pytest.raises(UserError, match=holder):
                claim(tmp_path, resume=True)
            first.kill()
            first.wait()
            os.kill(child, 0)  # still there
            claim(tmp_path, resume=True)
        finally:
            os.kill(child, signal.SIGKILL)
