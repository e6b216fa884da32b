import logging
from collections.abc import Iterator
from typing import Callable
from unittest.mock import Mock

import pytest
from mmengine.hooks import LoggerHook
from mmengine.logging import MessageHub
from mmengine.runner import Runner

from ssd_plugin.engine import loader_meter_hook
from ssd_plugin.engine.loader_meter_hook import LoaderMeterHook

TIMES = [(3.0, 4.0), (0.0, 4.0), (0.0, 2.0), (1.0, 2.0), (1.5, 2.0)]  # waiting, whole iteration


def lines(interval: int, length: int) -> Iterator[tuple[int, str]]:
    """Gives (iteration, line) of an epoch of some length that takes the TIMES."""
    hub = MessageHub(f'meter-{interval}-{length}')
    runner = Mock(message_hub=hub, logger=Mock(spec=logging.Logger), hooks=[LoggerHook(interval)])
    runner.train_dataloader = range(length)
    hook = LoaderMeterHook()
    hook.before_train(runner)
    for index in range(length):
        waiting, total = TIMES[index]
        hub.update_scalar('train/data_time', waiting)
        hub.update_scalar('train/time', total)
        hook.after_train_iter(runner, index)
        for call in runner.logger.info.call_args_list:
            yield index, call.args[0]
        runner.logger.info.reset_mock()


def test_every_interval_is_counted_by_itself() -> None:
    # 3 of 8 seconds, then 1 of 4; the fifth iteration waits for the next epoch's line.
    assert list(lines(interval=2, length=5)) == [(1, 'loader bound 38 %'), (3, 'loader bound 25 %')]


def test_a_short_epoch_has_one_line() -> None:
    assert list(lines(interval=50, length=3)) == [(2, 'loader bound 30 %')]


def test_a_small_share_is_not_worth_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader_meter_hook, 'NOTABLE', 0.26)
    assert list(lines(interval=2, length=4)) == [(1, 'loader bound 38 %')]


def test_a_run_logs_it_after_each_training_line(
    make_runner: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader_meter_hook, 'NOTABLE', 0)
    runner = make_runner(4, custom_hooks=[{'type': 'ssd_plugin.LoaderMeterHook'}])
    written: list[str] = []
    monkeypatch.setattr(runner.logger, 'info', written.append)
    runner.train()
    kinds = [line[:12] for line in written if line.startswith(('Epoch(train)', 'loader bound'))]
    assert kinds == ['Epoch(train)', 'loader bound'] * 4
