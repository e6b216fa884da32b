from pathlib import Path
from typing import Any, Callable
from unittest.mock import Mock

import pytest
import torch
from mmengine.runner import Runner
from torch.utils.data import Dataset

from ssd_plugin.datasets.quarantine import add_image
from ssd_plugin.engine.quarantine_hook import QuarantineHook
from ssd_plugin.errors import UserError


class Skipping(Dataset):
    """Puts the first images into quarantine whenever one of them is asked for."""

    metainfo = {'classes': ('toy',)}

    def __init__(self, path: Path, unreadable: int) -> None:
        self.path, self.unreadable = str(path), unreadable

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict:
        if index < self.unreadable:
            add_image(self.path, f'{index}.jpg', f'{index}.jpg: cut short: expected the whole file')
        return {'inputs': torch.tensor([0.1, 0.2])}


@pytest.fixture
def run(make_runner: Callable[..., Runner], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Callable[..., list]:
    """Trains two epochs of two batches with some unreadable images of four; what was warned of."""

    def run(unreadable: int, **settings: Any) -> list[str]:
        hook = {'type': 'ssd_plugin.QuarantineHook', **settings}
        dataset = Skipping(tmp_path / 'quarantine.txt', unreadable)
        loader = {'dataset': dataset, 'batch_size': 2, 'num_workers': 2, 'collate_fn': {'type': 'pseudo_collate'}}
        loader['sampler'] = {'type': 'DefaultSampler', 'shuffle': False}
        runner = make_runner(
            4, train_dataloader=loader, train_cfg={'type': 'EpochBasedTrainLoop', 'max_epochs': 2}, custom_hooks=[hook]
        )
        runner.logger.addHandler(caplog.handler)
        runner.train()
        return [record.getMessage() for record in caplog.records if record.module == 'quarantine_hook']

    return run


def test_each_image_is_warned_of_once_and_all_are_counted(run: Callable[..., list], tmp_path: Path) -> None:
    assert run(2, max_share=0.5) == [
        'skipped an image: 0.jpg: cut short: expected the whole file',
        'skipped an image: 1.jpg: cut short: expected the whole file',
        f'2 of 4 training images were skipped: {tmp_path}/quarantine.txt',
    ]


def test_too_many_stop_the_run(run: Callable[..., list], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        run(3, max_share=0.5)
    # Two processes load: any of the images may be the last one.
    assert str(caught.value)[1:] == (
        '.jpg: cut short: expected the whole file; 3 of 4 training images cannot be used, expected at most 50.00% '
        f'(QuarantineHook.max_share): {tmp_path}/quarantine.txt lists them'
    )


def test_a_single_image_does_not_stop_the_run(run: Callable[..., list]) -> None:
    assert len(run(1)) == 2


def test_a_single_image_stops_the_run_where_none_is_allowed(run: Callable[..., list]) -> None:
    with pytest.raises(UserError, match=r'1 of 4 training images cannot be used, expected at most 0\.00%'):
        run(1, max_share=0)


def test_no_image_is_nothing_to_say(run: Callable[..., list]) -> None:
    assert run(0) == []


def test_images_of_nested_data_sets_count_once(tmp_path: Path) -> None:
    inner = Skipping(tmp_path, 0)
    nested = Mock(spec=['datasets'], datasets=[inner, Mock(spec=['dataset'], dataset=inner)])
    hook = QuarantineHook(max_share=0.25)
    runner = Mock(work_dir=str(tmp_path))
    runner.train_dataloader.dataset = nested
    hook.before_train(runner)
    for image in range(3):
        add_image(str(tmp_path / 'quarantine.txt'), f'{image}.jpg', 'gone')
        if image < 2:
            hook.after_train_iter(runner, 0)
    with pytest.raises(UserError, match='3 of 8 training images'):
        hook.after_train_iter(runner, 0)


@pytest.mark.parametrize('share', [-0.1, 1.5, float('nan')])
def test_a_share_is_between_0_and_1(share: float) -> None:
    with pytest.raises(UserError, match=r'^QuarantineHook\.max_share: .*, expected a number from 0 to 1$'):
        QuarantineHook(share)
