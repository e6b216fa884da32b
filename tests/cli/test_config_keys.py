from pathlib import Path

import mmdet
import pytest
from mmengine.config import Config

from ssd_plugin.cli.config_keys import check_keys, check_options
from ssd_plugin.errors import UserError

CONFIGS = Path(__file__).parents[2] / 'configs'
DATASET = {'type': 'CocoDataset', 'data_root': 'data'}


@pytest.fixture
def config() -> Config:
    return Config(
        {
            'model': {'type': 'SSD', 'test_cfg': {'score_thr': 0.1, 'nms': {'type': 'nms'}}},
            'train_dataloader': {'batch_size': 2, 'dataset': {'type': 'ConcatDataset', 'datasets': [DATASET]}},
            'val_dataloader': {'batch_size': 4, 'dataset': DATASET},
            'train_cfg': {'by_epoch': True, 'max_epochs': 3},
            'optim_wrapper': {'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.1}},
            'max_epochs': 3,
            'data_root': 'data',
        }
    )


@pytest.mark.parametrize(
    ('option', 'line'),
    [
        ('lr', 'lr: no setting of the run, expected one like optim_wrapper.optimizer.lr'),
        ('learning.lr', 'learning.lr: no setting of the run, expected one like '),
        (
            'batch_size',
            'batch_size: no setting of the run, expected one like train_dataloader.batch_size, '
            'val_dataloader.batch_size',
        ),
        ('epochs', 'epochs: no setting of the run, expected one like train_cfg.max_epochs'),
        ('train_dataloder.batch_size', 'expected one like train_dataloader'),
        (
            'max_epochs',
            'max_epochs: no setting of the run, a variable that the file has used already, expected one like '
            'train_cfg.max_epochs',
        ),
        (
            'data_root',
            'expected one like train_dataloader.dataset.datasets.0.data_root, val_dataloader.dataset.data_root',
        ),
        ('train_dataloader.batch_sz', 'batch_sz is unknown there, expected train_dataloader.batch_size'),
        ('train_cfg.max_epoch', 'max_epoch is unknown there, expected train_cfg.max_epochs'),
        ('model.test_cfg.score_threshold', 'score_threshold is unknown there, expected model.test_cfg.score_thr'),
    ],
)
def test_an_option_that_changes_nothing(option: str, line: str, config: Config) -> None:
    with pytest.raises(UserError) as caught:
        check_options(config, {option: 1})
    assert str(caught.value).startswith(f'--cfg-options {option}: ')
    assert line in str(caught.value)


def test_options_that_are_read(config: Config) -> None:
    names = [
        'train_cfg.max_epochs',
        'train_dataloader.dataset.datasets.0.data_root',
        'train_dataloader.prefetch_factor',
        'model.test_cfg.nms_pre',
        'model.backbone.init_cfg.checkpoint',
        'optim_wrapper.accumulative_counts',
        'default_hooks.checkpoint.interval',
        'randomness.seed',
        'work_dir',
    ]
    check_options(config, dict.fromkeys(names, 1))


@pytest.mark.parametrize(
    ('option', 'value', 'line'),
    [
        ('train_cfg.by_epoch', 'no', "'no', expected True or False"),
        ('train_dataloader.dataset.datasets.3.data_root', 'x', '3, expected a whole number below 1'),
        ('train_dataloader.dataset.datasets.first.data_root', 'x', 'first, expected a whole number below 1'),
    ],
)
def test_values_that_do_not_fit(option: str, value: str, line: str, config: Config) -> None:
    with pytest.raises(UserError) as caught:
        check_options(config, {option: value})
    assert str(caught.value) == f'--cfg-options {option}: {line}'


def test_a_switch_takes_what_python_reads_as_one(config: Config) -> None:
    for value in (True, False, 0, None):
        check_options(config, {'train_cfg.by_epoch': value})


@pytest.mark.parametrize(
    ('key', 'known'),
    [
        ('train_dataloder', 'train_dataloader'),
        ('default_hook', 'default_hooks'),
        ('param_schedulers', 'param_scheduler'),
    ],
)
def test_a_misspelt_key_of_a_file(key: str, known: str, config: Config) -> None:
    config[key] = {}
    with pytest.raises(UserError, match=rf': {key} is read by nothing, expected {known}, or another name$'):
        check_keys(config)


def test_variables_of_a_file_pass(config: Config) -> None:
    for name in ('metainfo', 'train_pipeline', 'norm_cfg', 'style', 'train_dataset', 'test_dataset', 'optimizer'):
        config[name] = {}
    check_keys(config)


def test_shipped_configs_of_this_package_and_of_mmdet_pass() -> None:
    theirs = Path(mmdet.__file__).parent / '.mim' / 'configs'
    paths = [*CONFIGS.glob('*/*_bccd.py'), *(theirs / 'ssd').glob('*.py'), *(theirs / 'rtmdet').glob('rtmdet_[ts]*.py')]
    assert len(paths) > 10
    for path in paths:
        check_keys(Config.fromfile(path, import_custom_modules=False))
