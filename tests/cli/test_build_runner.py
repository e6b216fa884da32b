from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, MODELS
from torch import nn
from torch.utils.data import Dataset

from ssd_plugin.cli.build_runner import EvaluationRunner, ShortRunner, describe_run


class Line(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, inputs: list[torch.Tensor], mode: str = 'loss') -> dict[str, Any]:
        return {'loss': self.linear(torch.stack(inputs)).square().mean()}


class Points(Dataset):
    metainfo: dict[str, Any] = {}

    def __init__(self, number: int) -> None:
        self.number = number

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {'inputs': torch.ones(2)}


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShortRunner:
    monkeypatch.setitem(MODELS.module_dict, 'Line', Line)
    monkeypatch.setitem(DATASETS.module_dict, 'Points', Points)

    def loader(number: int) -> dict[str, Any]:
        dataset = dict(type='Points', number=number)
        return dict(dataset=dataset, batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False))

    (tmp_path / 'toy.py').write_text(f"""
default_scope = 'mmengine'
model = dict(type='Line')
work_dir = '{tmp_path}/work'
experiment_name = '{tmp_path.name}'
train_dataloader, val_dataloader, test_dataloader = {loader(7)}, {loader(5)}, {loader(3)}
train_cfg = dict(by_epoch=True, max_epochs=3, val_interval=2)
val_cfg, test_cfg = dict(), dict()
val_evaluator = test_evaluator = []
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01), paramwise_cfg=dict(bias_lr_mult=2.0))
randomness = dict(seed=4)
load_from = 'weights.pth'
""")
    return ShortRunner.from_cfg(Config.fromfile(tmp_path / 'toy.py'))


def test_the_terminal_of_a_run_is_short_and_its_file_is_not(runner: ShortRunner, capsys: pytest.CaptureFixture) -> None:
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.logger.info('shown')
    written = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    terminal, _ = runner.logger.handlers
    for text in ('System environment', 'Config:', 'Hooks will be executed', 'paramwise_options'):
        assert text in written
    assert not terminal.filter(runner.logger.makeRecord('a', 20, '', 0, 'Config:\n', (), None))
    assert terminal.filter(runner.logger.makeRecord('a', 20, '', 0, 'shown', (), None))


def test_a_run_is_described(runner: ShortRunner, tmp_path: Path) -> None:
    lines = describe_run(runner, runner.cfg, 'train').strip().splitlines()
    described = {line[:16].strip(): line[16:] for line in lines}
    assert described['config'] == str(tmp_path / 'toy.py')
    assert described['weights'] == 'weights.pth'
    assert described['work folder'] == f'{tmp_path}/work'
    assert Path(described['log']).is_file()
    assert described['seed'] == '4'
    assert described['device'].startswith(('cpu, ', 'cuda, '))
    assert described['training'] == '7 images, 4 batches of 2, 3 epochs, 12 iterations'
    assert described['validation'] == '5 images, every 2 epochs'
    assert describe_run(runner, runner.cfg, 'test').splitlines()[-1] == 'test            3 images'


def test_a_test_leaves_the_config_of_the_training_in_whose_folder_it_is(runner: ShortRunner, tmp_path: Path) -> None:
    written = tmp_path / 'work' / 'toy.py'
    trained = written.read_text()
    config = Config.fromfile(tmp_path / 'toy.py')
    config.merge_from_dict({'load_from': 'epoch_3.pth', 'experiment_name': f'{tmp_path.name}_test'})
    tested = EvaluationRunner.from_cfg(config)
    assert written.read_text() == trained
    assert "load_from = 'epoch_3.pth'" in Path(tested.log_dir, 'vis_data', 'config.py').read_text()
