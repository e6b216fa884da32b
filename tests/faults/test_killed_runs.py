"""A run that is killed again and again ends in the weights of one that is not, to the last bit."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGS = {
    'epochs, two workers': """
_base_ = '{config}'
train_cfg = dict(max_epochs=4, val_interval=4)
train_dataloader = dict(batch_size=4, num_workers=2)
default_hooks = dict(checkpoint=dict(interval=1))
""",
    'iterations, two workers, averaged weights': """
_base_ = '{config}'
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=12, val_interval=8)
train_dataloader = dict(batch_size=4, num_workers=2, sampler=dict(type='InfiniteSampler'))
param_scheduler = dict(_delete_=True, type='CosineAnnealingLR', T_max=12, by_epoch=False)
default_hooks = dict(checkpoint=dict(interval=2, by_epoch=False))
custom_hooks = [dict(type='EMAHook'), *_base_.custom_hooks]
""",
    'iterations within epochs, no workers': """
_base_ = '{config}'
train_cfg = dict(max_epochs=4, val_interval=2)
train_dataloader = dict(batch_size=4, num_workers=0)
default_hooks = dict(checkpoint=dict(interval=2, by_epoch=False))
""",
}
PARTS = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers')
KILLS = 4


def main(folder: Path) -> None:
    import torch
    from forked_tools import CONFIG, killed_at, make_shapes, train
    from torch.utils._pytree import tree_flatten

    from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file

    def final(work: Path) -> tuple[list, int]:
        checkpoint = load_checkpoint_file(work / (work / 'last_checkpoint').read_text())
        return tree_flatten([checkpoint.get(part) for part in PARTS])[0], checkpoint['meta']['iter']

    make_shapes(folder / 'shapes')
    moments = random.Random(int(time.time()))
    for i, (name, text) in enumerate(CONFIGS.items()):
        config, whole, work = (folder / f'{part}_{i}{end}' for part, end in (('c', '.py'), ('whole', ''), ('work', '')))
        config.write_text(text.format(config=CONFIG) + 'model = dict(backbone=dict(base_channels=16))\n')
        start = time.monotonic()
        tool = train(config, whole, '--cfg-options', 'randomness.seed=3')
        assert tool.wait() == 0, tool.lines()[-20:]
        length = time.monotonic() - start
        (whole_state, iteration), kills = final(whole), []
        for kill in range(KILLS):
            due = time.monotonic() + moments.uniform(0, length)
            saving, pointer = kill % 2 == 0, work / 'last_checkpoint'
            before = pointer.read_text() if pointer.exists() else ''

            def saves_again(work: Path = work, pointer: Path = pointer, before: str = before) -> bool:
                return any(work.glob('.*.pth-*')) and pointer.exists() and pointer.read_text() != before

            def is_due(due: float = due) -> bool:
                return time.monotonic() > due

            tool = train(config, work, '--resume', '--cfg-options', 'randomness.seed=3')
            status = killed_at(tool, saves_again if saving else is_due)
            kills.append(f'{"saving" if saving else "any"}:{status}')
        tool = train(config, work, '--resume')  # of another seed, if it were not for the checkpoint
        assert tool.wait() == 0, tool.lines()[-20:]
        state, end = final(work)
        same = len(state) == len(whole_state) and all(
            torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
            for one, other in zip(state, whole_state)
        )
        print('result', name, iteration, end, len(state) > 100, same, *kills, sep='; ', flush=True)


@pytest.mark.slow
def test_killed_at_any_moment_a_run_ends_in_the_same_weights(tmp_path):
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
    command = [sys.executable, __file__, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split('; ')[1:] for line in done.stdout.splitlines() if line.startswith('result')]
    assert [row[:5] for row in rows] == [[name, '12', '12', 'True', 'True'] for name in CONFIGS], done.stdout
    # A late moment may find the run at its end.
    killed = [kill for row in rows for kill in row[5:] if kill.endswith(f':{-signal.SIGKILL}')]
    assert len(killed) > len(CONFIGS), done.stdout
    assert sum(kill.startswith('saving') for kill in killed) >= len(CONFIGS), done.stdout


if __name__ == '__main__':
    main(Path(sys.argv[1]))
