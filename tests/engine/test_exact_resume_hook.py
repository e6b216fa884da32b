"""A resumed run ends in the very weights of an undisturbed one."""

import pickle
import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.engine.seeded_loader import SeededDataset
from ssd_plugin.errors import UserError

NUMBERS = count()
LENGTH = 7  # images: 4 batches of 2, the last of 1
EPOCHS = {'type': 'EpochBasedTrainLoop', 'max_epochs': 3}
ITERATIONS = {'type': 'IterBasedTrainLoop', 'max_iters': 12}


class NoisyDataset(Dataset):
    metainfo = {'classes': ('toy',)}

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return LENGTH

    def __getitem__(self, index: int) -> dict:
        self.read.append(index)
        return {'inputs': torch.tensor([random.random(), np.random.random()]) * (index + 1) + torch.rand(2)}


class NoisyModel(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 1))

    def forward(self, inputs: list[Tensor], mode: str = 'loss') -> dict:
        noise = random.random() + np.random.random()
        return {'loss': (self.layers(torch.stack(inputs * 2)) - noise).square().mean()}


class StopHook(Hook):
    priority = 'LOWEST'

    def __init__(self, after: int) -> None:
        self.after = after

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if runner.iter + 1 == self.after:
            raise InterruptedError


def train(
    make_runner: Callable[..., Runner],
    folder: Path,
    loop: dict,
    *,
    stop: Optional[int] = None,
    resume: bool = False,
    workers: int = 0,
    sampler: str = 'DefaultSampler',
    accumulated: int = 1,
    seed: Optional[int] = None,
    load_from: Optional[str] = None,
    **checkpoint: Any,
) -> tuple[dict, list[int]]:
    """Trains to the end or the stop; the last checkpoint, and what this process read."""
    torch.manual_seed(0)
    loader = {
        'dataset': NoisyDataset(),
        'batch_size': 2,
        'num_workers': workers,
        'persistent_workers': workers > 0,
        'sampler': {'type': sampler, 'shuffle': True},
        'collate_fn': {'type': 'pseudo_collate'},
    }
    optimizer = {'type': 'SGD', 'lr': 0.05, 'momentum': 0.9}
    hook = {'type': 'ssd_plugin.SafeCheckpointHook', 'interval': 1, 'by_epoch': False, **checkpoint}
    runner = make_runner(
        12,
        model=NoisyModel(),
        work_dir=str(folder),
        train_cfg=loop,
        train_dataloader=loader,
        optim_wrapper={'optimizer': optimizer, 'accumulative_counts': accumulated},
        param_scheduler=[
            {'type': 'LinearLR', 'start_factor': 0.1, 'end': 5, 'by_epoch': False},
            {'type': 'ExponentialLR', 'gamma': 0.7, 'by_epoch': loop is EPOCHS},
        ],
        default_hooks={'checkpoint': hook, 'exact_resume': {'type': 'ssd_plugin.ExactResumeHook'}},
        custom_hooks=[{'type': 'EMAHook', 'momentum': 0.1}, StopHook(stop or 0)],
        experiment_name=f'exact-resume-{next(NUMBERS)}',  # MMEngine wants a new one each time
        randomness={'seed': seed},
        resume=resume,
        load_from=load_from,
    )
    if stop:
        with pytest.raises(InterruptedError):
            runner.train()
    else:
        runner.train()
    return load_checkpoint_file(folder / (folder / 'last_checkpoint').read_text()), runner.train_dataloader.dataset.read


def equal(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(equal, first, second))
    return first == second


def assert_equal(first: dict, second: dict) -> None:
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        assert equal(first[part], second[part]), part
    assert first['meta']['iter'] == second['meta']['iter'] == 12


# The schedules step before the first update: of several iterations, and where an epoch was done.
@pytest.mark.filterwarnings('ignore:Detected call of .scheduler.step')
@pytest.mark.parametrize(
    ('loop', 'settings'),
    [
        (EPOCHS, {}),
        pytest.param(EPOCHS, {'workers': 2}, marks=pytest.mark.slow),  # torch waits for workers of a stopped run
        (EPOCHS, {'by_epoch': True}),
        (EPOCHS, {'accumulated': 3}),
        (ITERATIONS, {'sampler': 'InfiniteSampler'}),
        pytest.param(ITERATIONS, {'sampler': 'InfiniteSampler', 'workers': 2}, marks=pytest.mark.slow),
        (ITERATIONS, {'sampler': 'DefaultSampler'}),
    ],
)
def test_stopped_at_any_iteration_it_ends_in_the_same_weights(
    loop: dict, settings: dict, make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    whole, _ = train(make_runner, tmp_path / 'whole', loop, seed=5, **settings)
    for stop in (6, 8):  # within an epoch and at its end
        folder = tmp_path / f'stopped-{stop}'
        train(make_runner, folder, loop, seed=5, stop=stop, **settings)
        # Without a seed in the config each start draws one; the resumed run takes that of the checkpoint.
        resumed, _ = train(make_runner, folder, loop, resume=True, **settings)
        assert_equal(resumed, whole)


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    runs = [train(make_runner, tmp_path / str(workers), EPOCHS, seed=5, workers=workers)[0] for workers in (0, 1, 2)]
    assert_equal(runs[0], runs[1])
    assert_equal(runs[0], runs[2])


@pytest.mark.parametrize(('loop', 'sampler'), [(EPOCHS, 'DefaultSampler'), (ITERATIONS, 'InfiniteSampler')])
def test_only_what_is_left_is_loaded(
    loop: dict, sampler: str, make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    _, whole = train(make_runner, tmp_path / 'whole', loop, seed=5, sampler=sampler)
    train(make_runner, tmp_path / 'stopped', loop, seed=5, stop=6, sampler=sampler)
    _, rest = train(make_runner, tmp_path / 'stopped', loop, resume=True, sampler=sampler)
    # Six batches: four of the first epoch's seven images in pairs, and two more.
    done = LENGTH + 4 if loop is EPOCHS else 12
    assert rest == whole[done:]
    assert sorted(whole[:LENGTH]) == list(range(LENGTH))


def test_epochs_and_samples_differ_from_each_other(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    drawn = []
    model = NoisyModel.forward

    def forward(self: NoisyModel, inputs: list[Tensor], mode: str = 'loss') -> dict:
        drawn.extend(tuple(image.tolist()) for image in inputs)
        return model(self, inputs, mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NoisyModel, 'forward', forward)
        train(make_runner, tmp_path, EPOCHS, seed=5)
    assert len(set(drawn)) == len(drawn) == 3 * LENGTH


@pytest.mark.parametrize('key', ['meta', 'message_hub', 'optimizer'])
def test_weights_alone_are_refused_in_one_line(key: str, make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    checkpoint, _ = train(make_runner, tmp_path, EPOCHS)
    del checkpoint[key]
    path = tmp_path / 'weights.pth'
    torch.save(checkpoint, path)
    with pytest.raises(UserError, match=f"weights.pth: no '{key}' in it, expected the checkpoint of a training run;"):
        train(make_runner, tmp_path / 'other', EPOCHS, resume=True, load_from=str(path))


def test_the_data_set_stays_what_it_was() -> None:
    inner = NoisyDataset()
    outer = SeededDataset(inner)
    outer.pipeline = 'changed'  # as hooks do
    assert inner.pipeline == outer.pipeline == 'changed'
    assert outer.metainfo == inner.metainfo
    assert len(outer) == LENGTH
    same = pickle.loads(pickle.dumps(outer))  # to a worker that is not forked
    assert torch.equal(same[2, (5, 1, 1)]['inputs'], outer[2, (5, 1, 1)]['inputs'])
    assert inner.read == [2]


def test_every_config_has_it() -> None:
    config = Config.fromfile(Path(__file__).parents[2] / 'configs' / '_base_' / 'default_runtime.py')
    assert config.default_hooks.exact_resume.type == 'ssd_plugin.ExactResumeHook'
