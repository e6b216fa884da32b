"""A loss that is not finite does not reach the weights, and the run stops, skips or rolls back."""

from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn

from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.engine.non_finite_loss_hook import NonFiniteLossHook
from ssd_plugin.errors import UserError

ROOT = Path(__file__).parents[2]


class Failing(BaseModel):
    """Its second term is NaN in the iterations given, counted from 1, and can poison a buffer too."""

    def __init__(self, bad: tuple[int, ...], poison: bool = False) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 1)
        self.register_buffer('statistic', torch.zeros(1))
        self.bad, self.poison, self.calls, self.seen = bad, poison, 0, []

    def forward(self, inputs: list[Tensor], mode: str = 'loss') -> dict:
        self.calls += 1
        self.seen.append(self.linear.weight.detach().clone())
        loss = self.linear(torch.stack(inputs)).square().mean() + self.linear.weight.sum()
        nan = float('nan') if self.calls in self.bad else 1.0
        if self.poison:
            self.statistic += nan
        return {'loss_cls': loss, 'loss_bbox': loss * nan}


def train(make_runner: Callable[..., Runner], model: BaseModel, iterations: int = 6, **settings: Any) -> Runner:
    hooks = {
        'logger': {'type': 'LoggerHook', 'interval': 1},
        'checkpoint': {'type': 'ssd_plugin.SafeCheckpointHook', 'interval': 2, 'by_epoch': False},
    }
    hook = {'type': 'ssd_plugin.NonFiniteLossHook', **settings}
    runner = make_runner(iterations, model=model, default_hooks=hooks, custom_hooks=[hook])
    runner.train()
    return runner


def test_it_stops_at_once_with_the_term_and_the_batch(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    model = Failing(bad=(3,))
    path = tmp_path / 'non_finite' / 'iter_3.pth'
    with pytest.raises(UserError) as caught:
        train(make_runner, model)
    assert str(caught.value) == (
        f'iteration 3: non-finite loss (loss_bbox = nan) from the batch, saved as {path}; '
        'a lower learning rate is the usual remedy'
    )
    assert torch.isfinite(model.linear.weight).all()
    assert torch.equal(model.linear.weight, model.seen[2])
    saved = load_checkpoint_file(path)
    assert torch.equal(saved['state_dict']['linear.weight'], model.linear.weight)
    assert [value.tolist() for value in saved['batch']['inputs']] == [[0, 0], pytest.approx([0.1, 0.2])]
    assert sorted(file.name for file in tmp_path.glob('iter_*.pth')) == ['iter_2.pth']


def test_a_step_is_skipped(make_runner: Callable[..., Runner]) -> None:
    model = Failing(bad=(2, 4))
    runner = train(make_runner, model, action='skip', limit=1)
    assert runner.iter == 6
    assert torch.equal(model.seen[1], model.seen[2])
    assert torch.equal(model.seen[3], model.seen[4])
    assert not torch.equal(model.seen[2], model.seen[3])
    assert torch.isfinite(model.linear.weight).all()


def test_skips_in_a_row_have_a_limit(make_runner: Callable[..., Runner]) -> None:
    model = Failing(bad=(2, 3, 4, 5, 6))
    with pytest.raises(UserError, match=r'^iteration 5: .*; stopped after 3 times, expected fewer'):
        train(make_runner, model, action='skip', limit=3)


def test_skipping_does_not_go_on_with_poisoned_statistics(make_runner: Callable[..., Runner]) -> None:
    with pytest.raises(UserError, match='statistic is not finite either: skipping does not help'):
        train(make_runner, Failing(bad=(2,), poison=True), action='skip')


def test_it_rolls_back_to_the_last_checkpoint_at_a_lower_rate(
    make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    model = Failing(bad=(4,), poison=True)
    runner = train(make_runner, model, action='rollback', lr_factor=0.5)
    saved = load_checkpoint_file(tmp_path / 'iter_2.pth')
    assert torch.equal(model.seen[4], saved['state_dict']['linear.weight'])
    assert runner.iter == 6
    assert torch.isfinite(model.statistic).all()
    rates = runner.message_hub.get_scalar('train/lr').data[0].tolist()
    # The schedule divides by 10 after the third iteration.
    assert rates == pytest.approx([0.01, 0.01, 0.01, 0.001, 0.0005, 0.0005])
    buffers = saved['optimizer']['state'][0]['momentum_buffer']
    assert torch.isfinite(buffers).all()


def test_a_poisoned_checkpoint_is_not_rolled_back_to(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    class Poisoned(Failing):
        def forward(self, inputs: list[Tensor], mode: str = 'loss') -> dict:
            losses = super().forward(inputs, mode)
            if self.calls == 4:
                self.statistic.fill_(float('nan'))
            return losses

    model = Poisoned(bad=(5,))
    train(make_runner, model, action='rollback')
    assert torch.isnan(load_checkpoint_file(tmp_path / 'iter_4.pth')['state_dict']['statistic'])
    assert torch.equal(model.seen[5], load_checkpoint_file(tmp_path / 'iter_2.pth')['state_dict']['linear.weight'])


def test_rollbacks_have_a_limit_and_need_a_checkpoint(make_runner: Callable[..., Runner]) -> None:
    with pytest.raises(UserError, match=r'^iteration 1: .*; no checkpoint in .*, expected one to roll back to'):
        train(make_runner, Failing(bad=(1,)), iterations=3, action='rollback')
    with pytest.raises(UserError, match=r'^iteration 5: .*; stopped after 1 times'):
        train(make_runner, Failing(bad=(3, 5)), action='rollback', limit=1)


@pytest.mark.slow
def test_a_run_of_finite_losses_is_the_same_to_the_last_bit(make_runner: Callable[..., Runner]) -> None:
    torch.manual_seed(0)
    model = Failing(bad=())
    other = Failing(bad=())
    other.load_state_dict(model.state_dict())
    train(make_runner, model)
    make_runner(6, model=other, experiment_name='plain').train()
    assert torch.equal(model.linear.weight, other.linear.weight)


@pytest.mark.parametrize('settings', [{'action': 'ignore'}, {'lr_factor': 0}, {'lr_factor': 2}])
def test_wrong_settings_are_one_line(settings: dict) -> None:
    with pytest.raises(UserError, match=rf'NonFiniteLossHook\.{next(iter(settings))}: '):
        NonFiniteLossHook(**settings)


def test_every_config_has_it() -> None:
    hooks = Config.fromfile(ROOT / 'configs' / '_base_' / 'default_runtime.py').custom_hooks
    assert {'type': 'ssd_plugin.NonFiniteLossHook'} in hooks
    assert all(hook['type'] != 'CheckInvalidLossHook' for hook in hooks)
