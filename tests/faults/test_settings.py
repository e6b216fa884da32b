"""Settings that are wrong, through the real tools: one line, and nothing is written."""

import logging
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'

# What is given to --cfg-options of tools/train.py, and how the line goes on after "error: ".
OPTIONS = [
    ('max_epochs=1', '--cfg-options max_epochs: no setting of the run, a variable that the file has used already'),
    ('lr=0.1', '--cfg-options lr: no setting of the run, expected one like optim_wrapper.optimizer.lr'),
    ('batch_size=2', '--cfg-options batch_size: no setting of the run, expected one like train_dataloader.batch_size'),
    ('epochs=3', '--cfg-options epochs: no setting of the run, expected one like train_cfg.max_epochs'),
    ('workers=3', '--cfg-options workers: no setting of the run, expected one like train_dataloader.num_workers'),
    ('data_root=x', '--cfg-options data_root: no setting of the run, a variable that the file has used already'),
    ('input_size=400', '--cfg-options input_size: no setting of the run, a variable that the file has used already'),
    ('train_dataloder.batch_size=2', '--cfg-options train_dataloder.batch_size: no setting of the run'),
    ('train_dataloader.batch_sz=2', '--cfg-options train_dataloader.batch_sz: batch_sz is unknown there'),
    ('model.test_cfg.score_threshold=0.5', '--cfg-options model.test_cfg.score_threshold: score_threshold is unknown'),
    ('auto_scale_lr.enabled=True', '--cfg-options auto_scale_lr.enabled: enabled is unknown there'),
    ('env_cfg.cudnn_benchmrk=True', '--cfg-options env_cfg.cudnn_benchmrk: cudnn_benchmrk is unknown there'),
    ('model.input_size=0', 'at_size: 0, expected a side or (width, height), whole numbers of pixels above 0'),
    ('model.input_size=-300', 'at_size: -300, expected a side or (width, height)'),
    ('model.input_size=wide', "at_size: 'wide', expected a side or (width, height)"),
    ('model.input_size=(300,)', 'at_size: (300,), expected a side or (width, height)'),
    ('model.input_size=(300', '--cfg-options model.input_size=(300: expected KEY=VALUE, with every bracket closed'),
    ('train_cfg.max_epochs', '--cfg-options train_cfg.max_epochs: expected KEY=VALUE, with every bracket closed'),
    ('=1', '--cfg-options =1: expected KEY=VALUE, with every bracket closed'),
    ('train_cfg.max_epochs=0', 'train_cfg.max_epochs: 0, expected a whole number of at least 1'),
    ('train_cfg.max_epochs=-1', 'train_cfg.max_epochs: -1, expected a whole number of at least 1'),
    ('train_cfg.max_epochs=two', "train_cfg.max_epochs: 'two', expected a whole number of at least 1"),
    ('train_cfg.max_epochs=1.5', 'train_cfg.max_epochs: 1.5, expected a whole number of at least 1'),
    ('train_cfg.val_interval=0', 'train_cfg.val_interval: 0, expected a whole number of at least 1'),
    ('train_dataloader.batch_size=0', 'train_dataloader.batch_size: 0, expected a whole number of at least 1'),
    ('train_dataloader.batch_size=-4', 'train_dataloader.batch_size: -4, expected a whole number of at least 1'),
    ('val_dataloader.batch_size=big', "val_dataloader.batch_size: 'big', expected a whole number of at least 1"),
    ('train_dataloader.num_workers=-1', 'train_dataloader.num_workers: -1, expected a whole number of at least 0'),
    ('train_dataloader.num_workers=x', "train_dataloader.num_workers: 'x', expected a whole number of at least 0"),
    ('default_hooks.logger.interval=0', 'default_hooks.logger.interval: 0, expected a whole number of at least 1'),
    ('default_hooks.logger=None', 'default_hooks.logger: None, expected a hook such as'),
    ('default_hooks.checkpoint.interval=0', 'default_hooks.checkpoint.interval: 0, expected a whole number of at'),
    ('default_hooks.checkpoint.save_best=mAP', "default_hooks.checkpoint.save_best: 'mAP', expected auto or the name"),
    ('default_hooks.checkpoint.save_best=voc/mAP', "default_hooks.checkpoint.save_best: 'voc/mAP', expected auto or"),
    ('randomness.seed=-1', 'randomness.seed: -1, expected a whole number of at least 0'),
    ('randomness.seed=x', "randomness.seed: 'x', expected a whole number of at least 0"),
    ('train_dataloader.dataset.data_root=none', 'train_dataloader.dataset.data_root: none does not exist'),
    ('optim_wrapper.optimizer.type=SDG', "optim_wrapper.optimizer.type: 'SDG' is not registered, expected one like"),
    ('load_from=none.pth', 'load_from: none.pth does not exist, expected a checkpoint file'),
]


def fails(tool, arguments, monkeypatch, capsys):
    """Run a tool in this process, which must end with status 2; what it printed to stderr."""
    # MMEngine's logger would write to the output of the test that made it.
    monkeypatch.setattr(logging, 'raiseExceptions', False)
    monkeypatch.setattr(sys, 'argv', [f'{tool}.py', *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / 'tools' / f'{tool}.py'), run_name='__main__')
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    """A data set, which the checks of the other settings need."""
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    command = [sys.executable, 'tools/make_shapes.py', folder, '--images', '8', '--size', '96x72', '--workers', '1']
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture
def place(shapes, tmp_path, monkeypatch):
    monkeypatch.setenv('SHAPES_ROOT', str(shapes))
    return tmp_path / 'work'


@pytest.mark.parametrize(('option', 'line'), OPTIONS, ids=[option for option, _ in OPTIONS])
def test_an_option_is_refused_in_one_line(option, line, place, monkeypatch, capsys):
    printed = fails('train', [CONFIG, '--work-dir', place, '--cfg-options', option], monkeypatch, capsys)
    assert printed.startswith(f'error: {line}')
    assert printed.count('\n') == 1
    assert not place.exists()


@pytest.mark.parametrize('number', ['0', '-3'])
def test_a_batch_of_no_image(number, place, monkeypatch, capsys):
    printed = fails('infer', [CONFIG, 'none.pth', ROOT, '--batch-size', number], monkeypatch, capsys)
    assert printed == f'error: --batch-size is {number}, expected a whole number above 0\n'


@pytest.mark.parametrize('number', ['0', '-1', 'two', '1.5'])
@pytest.mark.parametrize('tool', ['dist_train', 'dist_test'])
def test_a_number_of_devices(number, tool):
    checkpoint = [] if tool == 'dist_train' else ['none.pth']
    command = ['bash', f'tools/{tool}.sh', str(CONFIG), *checkpoint, number]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"error: GPUS is '{number}', expected a whole number above 0\n"


@pytest.mark.parametrize(
    'way', ['load_from', *(pytest.param(way, marks=pytest.mark.slow) for way in ('test', 'infer', 'resume'))]
)
def test_a_checkpoint_of_another_model(way, shapes, place, tmp_path):
    run = {'meta': {'epoch': 1, 'iter': 1}, 'message_hub': {}, 'optimizer': {}}
    torch.save({**run, 'state_dict': {}}, tmp_path / 'empty.pth')
    checkpoint = str(tmp_path / 'empty.pth')
    arguments = {
        'test': ['test.py', CONFIG, checkpoint, '--work-dir', place],
        'infer': ['infer.py', CONFIG, checkpoint, shapes / 'JPEGImages', '--out-dir', place],
        'load_from': ['train.py', CONFIG, '--work-dir', place, '--cfg-options', f'load_from={checkpoint}'],
        'resume': ['train.py', CONFIG, '--work-dir', place, '--resume', checkpoint],
    }
    tool, *rest = map(str, arguments[way])
    command = [sys.executable, f'tools/{tool}', *rest]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        f'error: {checkpoint}: does not fit the model of the config, it lacks backbone.conv1.weight, '
    )


@pytest.mark.slow
def test_options_that_change_more_than_one_place(shapes, place):
    options = ['model.input_size=(128,96)', 'train_cfg.max_epochs=1', 'train_dataloader.num_workers=0']
    small = ['model.backbone.base_channels=16', 'train_cfg.val_interval=1', 'train_dataloader.batch_size=2']
    command = [sys.executable, 'tools/train.py', CONFIG, '--work-dir', place, '--cfg-options', *options, *small]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (log,) = place.glob('*/*.log')
    assert 'Default boxes for an input of 128x96' in log.read_text()
    line = 'The schedules follow train_cfg.max_epochs=1: param_scheduler[1].T_max 36 -> 1'
    assert log.read_text().count(line) == 1
