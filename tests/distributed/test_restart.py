"""torchrun starts a killed process again, and training goes on from the last checkpoint."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

CONFIG = 'configs/shapes/ssd300_r18_shapes.py'
EPOCHS = 6


def processes_of(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f'/proc/{parent}/task/{parent}/children').read_text().split()]


@pytest.mark.slow
@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='processes are found as Linux lists them')
def test_two_machines_go_on_after_a_kill(start, free_port, tmp_path):
    options = [
        'model.backbone.base_channels=8',
        'train_dataloader.batch_size=2',
        'default_hooks.checkpoint.save_best=None',
        'default_hooks.checkpoint.interval=1',
        f'train_cfg.max_epochs={EPOCHS}',
        f'train_cfg.val_interval={EPOCHS}',
    ]
    agents = [
        start(
            *(sys.executable, '-m', 'ssd_plugin.cli.torchrun', '--nnodes=2', '--nproc_per_node=1', '--max-restarts=1'),
            *('--rdzv-backend=c10d', f'--rdzv-endpoint=localhost:{free_port}', '--rdzv-id=run'),
            *('tools/train.py', CONFIG, '--launcher=pytorch', '--work-dir', tmp_path, '--cfg-options', *options),
        )
        for _ in range(2)
    ]
    while not (tmp_path / 'epoch_2.pth').is_file():
        assert all(agent.poll() is None for agent in agents), [agent.communicate() for agent in agents]
        time.sleep(0.05)
    (process,) = processes_of(agents[1].pid)
    os.kill(process, signal.SIGKILL)
    for agent in agents:
        errors = agent.communicate(timeout=300)[1]
        assert agent.returncode == 0, errors
    logs = [path.read_text() for path in sorted(tmp_path.glob('*/*.log'))]
    assert len(logs) == 2
    (resumed,) = (line for line in logs[1].splitlines() if 'resumed epoch: ' in line)
    epoch = int(resumed.split('resumed epoch: ')[1].split(',')[0])
    assert 2 <= epoch < EPOCHS
    assert 'Saving checkpoint at 1 epochs' in logs[0]
    assert [f'Saving checkpoint at {number} epochs' in logs[1] for number in range(1, EPOCHS + 1)] == [
        number > epoch for number in range(1, EPOCHS + 1)
    ]
    assert (tmp_path / f'epoch_{EPOCHS}.pth').is_file()
