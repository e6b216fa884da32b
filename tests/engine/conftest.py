"""A toy model in a real MMEngine Runner."""

from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset


class ToyModel(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, inputs: Tensor, mode: str = 'loss') -> dict:
        return {'loss': self.linear(torch.stack(inputs)).float().square().mean()}


class ToyDataset(Dataset):
    metainfo = {'classes': ('toy',), 'palette': [(1, 2, 3)]}

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict:
        return {'inputs': torch.tensor([0.1, 0.2]) * index}


@pytest.fixture
def make_runner(tmp_path: Path) -> Callable[..., Runner]:
    """Builds a Runner of max_iters steps, which writes iter_N.pth at its end."""

    def make(max_iters: int, **settings: Any) -> Runner:
        arguments = {
            'model': ToyModel(),
            'work_dir': str(tmp_path),
            'train_dataloader': {
                'dataset': ToyDataset(),
                'batch_size': 2,
                'sampler': {'type': 'DefaultSampler', 'shuffle': False},
                'collate_fn': {'type': 'pseudo_collate'},
            },
            'train_cfg': {'type': 'IterBasedTrainLoop', 'max_iters': max_iters},
            'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.01, 'momentum': 0.9}},
            # The end is given, because resuming restores it: the default is the first run's length.
            'param_scheduler': [{'type': 'MultiStepLR', 'milestones': [3], 'end': 100, 'by_epoch': False}],
            'default_hooks': {
                'logger': {'type': 'LoggerHook', 'interval': 1},
                'checkpoint': {'type': 'CheckpointHook', 'interval': max_iters, 'by_epoch': False},
            },
            'default_scope': 'mmengine',
            'experiment_name': f'{tmp_path.parent.name}-{tmp_path.name}-{max_iters}',
            'log_level': 'ERROR',
        }
        return Runner(**{**arguments, **settings})

    return make
