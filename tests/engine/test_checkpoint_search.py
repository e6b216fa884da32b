"""``--resume`` goes on from the newest intact checkpoint, also in a folder that was moved."""

import os
from pathlib import Path
from typing import Callable

import pytest
import torch
from mmengine.runner import Runner

from ssd_plugin.engine.checkpoint_search import find_latest_checkpoint
from ssd_plugin.errors import UserError

HOOKS = {
    'logger': {'type': 'LoggerHook', 'interval': 1},
    'checkpoint': {'type': 'ssd_plugin.SafeCheckpointHook', 'interval': 1, 'by_epoch': False},
}


def save(path: Path, age: int, weight: float = 1.0) -> Path:
    content = {
        'meta': {'iter': 1},
        'state_dict': {'weight': torch.full((99,), weight)},
        'message_hub': {},
        'optimizer': {},
    }
    torch.save(content, path)
    os.utime(path, (10**9 - age, 10**9 - age))
    return path


def test_the_named_one_goes_before_younger_ones(tmp_path: Path) -> None:
    assert find_latest_checkpoint(str(tmp_path)) is None
    save(tmp_path / 'epoch_1.pth', age=0)
    old = save(tmp_path / 'epoch_2.pth', age=9)
    (tmp_path / 'last_checkpoint').write_text('epoch_2.pth')
    assert find_latest_checkpoint(str(tmp_path)) == str(old)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(torch.ones(9).numpy().tobytes()) + 2] ^= 1
    path.write_bytes(data)
    assert not torch.equal(torch.load(path)['state_dict']['weight'], torch.ones(99))


@pytest.mark.parametrize('damage', [cut, flip, Path.unlink, lambda path: torch.save({'weight': torch.ones(1)}, path)])
def test_a_damaged_one_is_passed_over(damage: Callable[[Path], None], tmp_path: Path) -> None:
    save(tmp_path / 'epoch_1.pth', age=9)
    second = save(tmp_path / 'epoch_2.pth', age=5)
    save(tmp_path / 'best_epoch_3.pth', age=1)
    damage(save(tmp_path / 'epoch_3.pth', age=1))
    (tmp_path / 'last_checkpoint').write_text('epoch_3.pth')
    assert find_latest_checkpoint(str(tmp_path)) == str(second)
    (tmp_path / 'last_checkpoint').write_text('')
    assert find_latest_checkpoint(str(tmp_path)) == str(second)


def test_only_damaged_ones_are_one_line(tmp_path: Path) -> None:
    cut(save(tmp_path / 'epoch_1.pth', age=0))
    with pytest.raises(UserError, match='none of its 1 checkpoints is good'):
        find_latest_checkpoint(str(tmp_path))


def test_weights_can_be_asked_to_be_finite(tmp_path: Path) -> None:
    good = save(tmp_path / 'epoch_1.pth', age=9)
    poisoned = save(tmp_path / 'epoch_2.pth', age=0, weight=float('nan'))
    assert find_latest_checkpoint(str(tmp_path)) == str(poisoned)
    assert find_latest_checkpoint(str(tmp_path), finite=True) == str(good)


def test_mmengines_absolute_name_of_a_moved_folder_and_remote_ones(tmp_path: Path) -> None:
    here = save(tmp_path / 'epoch_1.pth', age=0)
    (tmp_path / 'last_checkpoint').write_text('/was/elsewhere/epoch_1.pth')
    assert find_latest_checkpoint(str(tmp_path)) == str(here)
    (tmp_path / 'last_checkpoint').write_text('s3://bucket/epoch_7.pth')
    assert find_latest_checkpoint(str(tmp_path)) == 's3://bucket/epoch_7.pth'


def test_a_moved_run_whose_last_checkpoint_is_damaged_resumes(
    make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    make_runner(3, work_dir=str(tmp_path / 'a'), default_hooks=HOOKS).train()
    (tmp_path / 'a').rename(tmp_path / 'b')
    cut(tmp_path / 'b' / 'iter_3.pth')
    runner = make_runner(4, work_dir=str(tmp_path / 'b'), default_hooks=HOOKS, resume=True)
    runner.load_or_resume()
    assert runner.iter == 2
    runner.train()
    assert find_latest_checkpoint(str(tmp_path / 'b')) == str(tmp_path / 'b' / 'iter_4.pth')
    assert not (tmp_path / 'a').exists()
