import logging
from pathlib import Path
from typing import Any, Callable, Optional
from unittest.mock import Mock

import pytest
from mmdet.datasets import AspectRatioBatchSampler
from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import DataLoader, RandomSampler

from ssd_plugin.engine.batch_size_hook import BatchSizeHook

ROOT = Path(__file__).parents[2]
HOOK = {'type': 'ssd_plugin.BatchSizeHook'}


def line(loader: DataLoader, recipe: Optional[dict], world_size: int = 1, **wrapper: Any) -> Optional[str]:
    """The line logged, if any, by a runner of that many processes."""
    runner = Mock(logger=Mock(spec=logging.Logger), auto_scale_lr=recipe, world_size=world_size)
    runner.train_dataloader, runner.optim_wrapper = loader, Mock(spec=list(wrapper), **wrapper)
    BatchSizeHook().before_train(runner)
    calls = runner.logger.warning.call_args_list
    assert len(calls) <= 1
    return calls[0].args[0] if calls else None


@pytest.fixture
def loader() -> DataLoader:
    return DataLoader(range(8), batch_size=4)


def test_another_total_is_one_line_with_the_remedy(loader: DataLoader) -> None:
    recipe = {'enable': False, 'base_batch_size': 32}
    assert line(loader, recipe, world_size=2, _accumulative_counts=3) == (
        'total batch size 24 (batch 4, processes 2, accumulated 3), but the learning rate of this config is for 32: '
        '--auto-scale-lr scales it'
    )
    assert line(loader, recipe).startswith('total batch size 4 (batch 4, processes 1, accumulated 1), ')


def test_the_total_of_the_recipe_is_silent(loader: DataLoader) -> None:
    recipe = {'base_batch_size': 32}
    assert line(loader, recipe, world_size=8) is None
    assert line(loader, recipe, world_size=2, _accumulative_counts=4) is None


def test_a_scaled_rate_and_a_config_without_recipe_are_silent(loader: DataLoader) -> None:
    assert line(loader, {'enable': True, 'base_batch_size': 32}) is None
    assert line(loader, {'enable': False}) is None
    assert line(loader, None) is None


def test_mmdets_batch_sampler_is_understood() -> None:
    batches = AspectRatioBatchSampler(RandomSampler(range(8)), batch_size=4)
    loader = DataLoader(range(8), batch_sampler=batches)
    assert loader.batch_size is None
    assert line(loader, {'base_batch_size': 4}) is None
    assert line(loader, {'base_batch_size': 5}) is not None


@pytest.mark.parametrize(('enable', 'lines'), [(False, 1), (True, 0)])
def test_a_run_says_it_once(
    enable: bool, lines: int, make_runner: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = {'enable': enable, 'base_batch_size': 16}
    runner = make_runner(3, auto_scale_lr=recipe, custom_hooks=[HOOK])
    written: list[str] = []
    monkeypatch.setattr(runner.logger, 'warning', written.append)
    runner.train()
    assert sum('total batch size 2 (' in text for text in written) == lines


def test_every_config_has_it() -> None:
    assert HOOK in Config.fromfile(ROOT / 'configs' / '_base_' / 'default_runtime.py').custom_hooks
