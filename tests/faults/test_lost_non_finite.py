"""A run that diverges, through the real tools: one line, the batch, and its replay."""

import re
from pathlib import Path

import pytest
from tool_runs import CONFIG, run_apart


@pytest.mark.slow
def test_a_rate_of_1e38_is_one_line_and_its_batch_replays(tmp_path):
    shapes, work = tmp_path / 'shapes', tmp_path / 'work'
    made = run_apart('make_shapes', shapes, '--images', 8, '--size', '96x72', '--workers', 1, shapes=shapes)
    assert made.returncode == 0, made.stderr
    settings = [
        'optim_wrapper.optimizer.lr=1e38',
        'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
    ]
    done = run_apart('train', CONFIG, '--work-dir', work, '--cfg-options', *settings, shapes=shapes)
    assert done.returncode == 2, done.stderr
    found = re.fullmatch(
        r'error: iteration (\d+): non-finite loss \((loss_\w+ = (?:nan|inf).*)\) from the batch with (\S+g) '
        r'and 1 more, saved as (\S+\.pth); a lower learning rate is the usual remedy',
        done.stderr.splitlines()[-1],
    )
    assert found, done.stderr
    assert int(found[1]) < 5
    assert Path(found[4]).parent == work / 'non_finite'
    assert not list(work.glob('epoch_*.pth'))
    replayed = run_apart('replay_batch', CONFIG, found[4], shapes=shapes)
    assert replayed.returncode == 0, replayed.stderr
    assert f'{found[3]}: boxes [[' in replayed.stdout
    assert re.search(r'^loss: (nan|inf), in training \1$', replayed.stdout, re.M)
    assert re.search(r'^first layer whose output is not finite: \w', replayed.stdout, re.M)
    wrong = run_apart('replay_batch', 'configs/bccd/ssd300_r18_bccd.py', found[4], shapes=shapes)
    assert wrong.returncode == 2
    assert 'its weights are not those of configs/bccd/ssd300_r18_bccd.py' in wrong.stderr.splitlines()[-1]
