"""A signal during training is obeyed after the iteration, with all saved."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.engine.stop_hook import StopHook
from ssd_plugin.stop_signals import SIGNALS, Stopped, ended_by_signals


class NoMetric(BaseMetric):
    def process(self, *_: Any, **__: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        return {'score': 1.0}


class SignalHook(Hook):
    """Sends a signal to this process at an iteration of training or validation."""

    def __init__(self, where: str, iteration: int, number: int = signal.SIGTERM) -> None:
        self.iteration = iteration
        self.number = number
        setattr(self, f'before_{where}_iter', self.send)

    def send(self, runner: Runner, **_: Any) -> None:
        if runner.iter == self.iteration:
            os.kill(os.getpid(), self.number)


@pytest.fixture(autouse=True)
def signals_kept() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (*SIGNALS, signal.SIGCHLD)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def run(make_runner: Callable[..., Runner], tmp_path: Path, *hooks: Hook, **settings: Any) -> Runner:
    checkpoint = {'type': 'ssd_plugin.SafeCheckpointHook', 'interval': 4, 'by_epoch': False}
    runner = make_runner(
        5,
        default_hooks={'checkpoint': checkpoint, 'exact_resume': {'type': 'ssd_plugin.ExactResumeHook'}},
        custom_hooks=[{'type': 'EMAHook', 'momentum': 0.5}, *hooks, StopHook()],
        experiment_name=f'{tmp_path.name}-{len(hooks)}-{len(settings)}',
        randomness={'seed': 1},
        **settings,
    )
    runner.train()
    return runner


@pytest.mark.parametrize('number', SIGNALS)
def test_it_saves_and_says_so(
    number: signal.Signals, make_runner: Callable[..., Runner], tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended, ended_by_signals():
        run(make_runner, tmp_path, SignalHook('train', 2, number))
    assert ended.value.code == 128 + number
    assert capfd.readouterr().err.splitlines()[-2:] == [
        f'{number.name}: saving; another one stops at once',
        f'stopped by {number.name} after iteration 3: {tmp_path / "interrupted.pth"} is saved, '
        'the same command with --resume goes on from it',
    ]
    assert (tmp_path / 'last_checkpoint').read_text() == 'interrupted.pth'
    assert load_checkpoint_file(tmp_path / 'interrupted.pth')['meta']['iter'] == 3


def test_the_resumed_run_ends_the_same_and_clears_it_away(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    torch.manual_seed(0)
    run(make_runner, tmp_path, work_dir=str(tmp_path / 'whole'))
    torch.manual_seed(0)
    with pytest.raises(Stopped):
        run(make_runner, tmp_path, SignalHook('train', 2), work_dir=str(tmp_path / 'work'))
    run(make_runner, tmp_path, work_dir=str(tmp_path / 'work'), resume=True)
    whole, resumed = (load_checkpoint_file(tmp_path / work / 'iter_5.pth') for work in ('whole', 'work'))
    for part in ('state_dict', 'ema_state_dict'):
        torch.testing.assert_close(resumed[part], whole[part], rtol=0, atol=0)
    assert not (tmp_path / 'work' / 'interrupted.pth').exists()


def test_in_a_validation_the_weights_are_not_the_averaged_ones(
    make_runner: Callable[..., Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('mmengine.runner.loops._update_losses', lambda outputs, losses: (outputs, losses))
    monkeypatch.setattr('mmengine.model.BaseModel.val_step', lambda model, data: [])
    settings = {
        'train_cfg': {'type': 'IterBasedTrainLoop', 'max_iters': 5, 'val_interval': 4},
        'val_cfg': {'type': 'ValLoop'},
        'val_dataloader': make_runner(1)._train_dataloader,
        'val_evaluator': {'type': NoMetric},
    }
    with pytest.raises(Stopped, match='after iteration 4: '):
        run(make_runner, tmp_path, SignalHook('val', 4), **settings)
    # This one was written before the validation.
    before, stopped = (load_checkpoint_file(tmp_path / name) for name in ('iter_4.pth', 'interrupted.pth'))
    assert before['meta']['iter'] == stopped['meta']['iter'] == 4
    for part in ('state_dict', 'ema_state_dict'):
        torch.testing.assert_close(stopped[part], before[part], rtol=0, atol=0)
    assert not torch.equal(stopped['state_dict']['linear.weight'], stopped['ema_state_dict']['module.linear.weight'])


def test_after_training_signals_stop_as_before_it(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    run(make_runner, tmp_path)
    with pytest.raises(Stopped, match='stopped by SIGTERM'):
        os.kill(os.getpid(), signal.SIGTERM)


def test_all_processes_stop_after_the_same_iteration(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    children = []
    for rank in range(2):
        children.append(os.fork())
        if children[-1] == 0:
            line = 'not stopped'
            torch.distributed.init_process_group('gloo', f'file://{tmp_path}/store', rank=rank, world_size=2)
            try:
                # One of them alone gets the signal.
                run(make_runner, tmp_path, *([SignalHook('train', 2)] if rank else []))
            except Stopped as stop:
                line = f'{stop.status} {stop}'
            (tmp_path / str(rank)).write_text(line)
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)
    assert (tmp_path / '1').read_text() == '143 '
    assert (tmp_path / '0').read_text().startswith(f'143 stopped by SIGTERM after iteration 3: {tmp_path}/interrupted.')
