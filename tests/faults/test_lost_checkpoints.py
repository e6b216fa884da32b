"""A run killed at any moment of saving leaves a checkpoint to go on from, with one kept at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'
# Trains on to iteration 4 and kills itself before the N-th time it opens for writing, renames or deletes a checkpoint,
# a draft of one or last_checkpoint. Fork by fork, because importing takes longer than training.
PROGRAM = """
import os, shutil, signal, sys, tempfile
from pathlib import Path

import torch
import ssd_plugin
from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.engine.checkpoint_search import find_latest_checkpoint

sys.path.insert(0, 'tests/engine')
from conftest import make_runner

def run(folder, iterations, moment):
    left = [moment]

    def count(event, arguments):
        if event == 'open':
            touched = arguments[0] if isinstance(arguments[1], str) and set(arguments[1]) & set('wx+') or (
                arguments[2] & (os.O_WRONLY | os.O_RDWR)) else ''
        else:
            touched = arguments[0] if event in ('os.rename', 'os.remove') else ''
        if '.pth' in str(touched) or 'last_checkpoint' in str(touched):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    torch.set_num_threads(1)
    checkpoint = dict(type=sys.argv[1], interval=1, by_epoch=False, max_keep_ckpts=1)
    make_runner.__wrapped__(Path(folder))(
        iterations, resume=True, default_hooks=dict(logger=dict(type='LoggerHook'), checkpoint=checkpoint)
    ).train()

def forked(*arguments):
    child = os.fork()
    if child == 0:
        run(*arguments)
        os._exit(0)
    return os.waitpid(child, 0)[1]

started = sys.argv[2] + '/started'
assert forked(started, 2, 0) == 0
for moment in range(1, 100):
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as folder:
        shutil.copytree(started, folder, dirs_exist_ok=True)
        status = forked(folder, 4, moment)
        latest = find_latest_checkpoint(folder)
        found = load_checkpoint_file(latest)['meta']['iter'] if latest else None
        resumed = forked(folder, 5, 0)
        print('moment', moment, 'status', status, 'found', found, 'resumed', resumed, flush=True)
        if status == 0:
            break
"""


@pytest.mark.slow
def test_a_checkpoint_survives_a_kill_at_every_moment_of_saving(tmp_path):
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
    command = [sys.executable, '-c', PROGRAM, 'ssd_plugin.SafeCheckpointHook', str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith('moment')]
    status, found, resumed = ([row[i] for row in rows] for i in (3, 5, 7))
    # Of both saves: the draft, made and opened, its rename, the same of the pointer, and the removal of the old one.
    assert status == ['9'] * 14 + ['0'], done.stdout
    assert found == ['2'] * 6 + ['3'] * 7 + ['4', '4'], done.stdout
    assert resumed == ['0'] * 15


@pytest.mark.slow
def test_resuming_from_weights_alone_is_one_line(tmp_path):
    torch.save({'backbone.conv1.weight': torch.zeros(1)}, tmp_path / 'weights.pth')
    environment = {**os.environ, 'SHAPES_ROOT': str(tmp_path / 'shapes'), 'OMP_NUM_THREADS': '1'}
    for command in (
        ['make_shapes.py', tmp_path / 'shapes', '--images', '4', '--size', '96x72', '--workers', '1'],
        ['train.py', CONFIG, '--work-dir', tmp_path / 'work', '--resume', tmp_path / 'weights.pth'],
    ):
        arguments = [sys.executable, f'tools/{command[0]}', *map(str, command[1:])]
        done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"error: {tmp_path}/weights.pth: no 'meta' in it, expected the checkpoint of a training run; "
        'load_from starts a new run from weights alone'
    )
    assert 'Traceback' not in done.stderr
