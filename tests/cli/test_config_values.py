import re
from typing import Any

import pytest
from mmdet.utils import register_all_modules
from mmengine.config import Config

from ssd_plugin.cli.config_values import check_values
from ssd_plugin.errors import UserError

TRAIN = ('train_dataloader', 'val_dataloader')


@pytest.fixture
def config() -> Config:
    register_all_modules()
    return Config(
        {
            'default_scope': 'mmdet',
            'train_dataloader': {'batch_size': 2, 'num_workers': 0},
            'val_dataloader': {'batch_size': 2, 'num_workers': 1},
            'val_evaluator': [{'type': 'VOCMetric'}, {'type': 'CocoMetric'}],
            'train_cfg': {'max_epochs': 3, 'val_interval': 1},
            'default_hooks': {
                'logger': {'type': 'LoggerHook', 'interval': 5},
                'checkpoint': {'interval': -1, 'save_best': 'coco/bbox_mAP'},
            },
            'custom_hooks': [{'type': 'ssd_plugin.LoaderMeterHook'}],
            'randomness': {'seed': 0},
        }
    )


def test_good_values_pass(config: Config) -> None:
    check_values(config, TRAIN)
    for best in ('auto', None, ['coco/bbox_mAP', 'pascal_voc/mAP']):
        config.default_hooks.checkpoint.save_best = best
        check_values(config, TRAIN)
    check_values(Config({}), TRAIN)


@pytest.mark.parametrize('value', [0, -1, 'two', 1.5, True])
@pytest.mark.parametrize(
    'key',
    [
        'train_dataloader.batch_size',
        'val_dataloader.batch_size',
        'train_cfg.max_epochs',
        'train_cfg.max_iters',
        'train_cfg.val_interval',
        'default_hooks.logger.interval',
    ],
)
def test_numbers_that_make_no_run(key: str, value: Any, config: Config) -> None:
    config.merge_from_dict({key: value})
    with pytest.raises(UserError, match=rf'^{key}: {value!r}, expected a whole number of at least 1$'):
        check_values(config, TRAIN)


@pytest.mark.parametrize('key', ['train_dataloader.num_workers', 'val_dataloader.num_workers', 'randomness.seed'])
def test_numbers_that_may_be_zero(key: str, config: Config) -> None:
    config.merge_from_dict({key: 0})
    check_values(config, TRAIN)
    config.merge_from_dict({key: -1})
    with pytest.raises(UserError, match=rf'^{key}: -1, expected a whole number of at least 0$'):
        check_values(config, TRAIN)


def test_what_testing_does_not_use_is_not_checked(config: Config) -> None:
    config.train_cfg.max_epochs = 0
    config.train_dataloader.batch_size = 0
    check_values(config, ('test_dataloader',))


@pytest.mark.parametrize(
    ('key', 'value', 'expected'),
    [
        ('default_hooks.checkpoint.max_keep_ckpts', 0, 'a whole number of at least 1'),
        ('default_hooks.checkpoint.interval', -2, 'a whole number of at least 1'),
        ('log_processor.window_size', 0, 'a whole number of at least 1'),
        ('model.test_cfg.max_per_img', 0, 'a whole number of at least 1'),
        ('model.test_cfg.score_thr', 1.5, 'a number from 0 to 1'),
        ('model.test_cfg.nms.iou_threshold', 'high', 'a number from 0 to 1'),
        ('optim_wrapper.optimizer.lr', 0, 'a number above 0'),
        ('optim_wrapper.optimizer.lr', True, 'a number above 0'),
        ('param_scheduler', [{'T_max': 0}], None),
        ('randomness.seed', 2**32, 'a whole number below 4294967296'),
        ('train_dataloader.prefetch_factor', 0, 'a whole number of at least 1'),
        ('log_level', 'LOUD', 'one of DEBUG, INFO, WARNING, ERROR, CRITICAL'),
        ('env_cfg.mp_cfg.mp_start_method', 'x', 'one of '),
    ],
)
def test_other_ranges(key: str, value: Any, expected: Any, config: Config) -> None:
    config.merge_from_dict({key: value})
    line = f'{key}: {value!r}, expected {expected}'
    if expected is None:
        line = 'param_scheduler[0].T_max: 0, expected a whole number of at least 1'
    with pytest.raises(UserError, match=f'^{re.escape(line)}'):
        check_values(config, TRAIN)


def test_the_ends_of_the_ranges_pass(config: Config) -> None:
    config.merge_from_dict(
        {
            'default_hooks.checkpoint.max_keep_ckpts': -1,
            'model.test_cfg': {'max_per_img': -1, 'score_thr': 0, 'nms': {'iou_threshold': 1}},
            'randomness.seed': 2**32 - 1,
            'log_level': 10,
            'param_scheduler': {'T_max': 1},
        }
    )
    check_values(config, TRAIN)


def test_the_loader_meter_needs_the_logger(config: Config) -> None:
    config.default_hooks.logger = None
    with pytest.raises(UserError, match=r'^default_hooks\.logger: None, expected .* which custom_hooks\[0\] needs$'):
        check_values(config, TRAIN)
    config.custom_hooks = []
    check_values(config, TRAIN)
