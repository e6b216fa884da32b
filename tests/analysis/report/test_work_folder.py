import os

import pytest
import torch

from ssd_plugin.analysis.report.work_folder import find_run
from ssd_plugin.errors import UserError


def write(path, age):
    path.write_text('')
    os.utime(path, (1e9 - age, 1e9 - age))
    return path


def test_the_newest_best_checkpoint_goes_before_the_last(tmp_path):
    config = write(tmp_path / 'run.py', 5)
    write(tmp_path / 'older.py', 9)
    write(tmp_path / 'best_a_epoch_1.pth', 9)
    best = write(tmp_path / 'best_a_epoch_5.pth', 2)
    write(tmp_path / '.best_a_epoch_6.pth', 0)
    write(tmp_path / 'epoch_6.pth', 1)
    run = find_run(tmp_path, True)
    assert (run.config, run.checkpoint, run.name) == (config, best, tmp_path.name)
    assert find_run(tmp_path, False).checkpoint is None


def test_the_last_checkpoint_where_none_is_best(tmp_path):
    write(tmp_path / 'run.py', 0)
    torch.save(dict(meta={}, state_dict={}, message_hub={}, optimizer={}), tmp_path / 'epoch_3.pth')
    assert find_run(tmp_path, True).checkpoint == tmp_path / 'epoch_3.pth'


def test_what_is_missing_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r'nowhere: no such folder, expected the work folder of a training run$'):
        find_run(tmp_path / 'nowhere', True)
    with pytest.raises(UserError, match=r'no config \(\*.py\) in it'):
        find_run(tmp_path, True)
    write(tmp_path / 'run.py', 0)
    with pytest.raises(UserError, match=r'no checkpoint in it yet, expected best_'):
        find_run(tmp_path, True)
