"""Check the numbers of a run, and what it keeps the best checkpoint by."""

import logging
import multiprocessing
from typing import Any

from mmengine.config import Config

from ssd_plugin.errors import UserError

from .config_types import walk
from .metric_names import check_best

# Key path in the config, and the least whole number.
_LOOP = [('train_cfg.max_epochs', 1), ('train_cfg.max_iters', 1), ('train_cfg.val_interval', 1)]
_HOOKS = [
    ('default_hooks.logger.interval', 1),
    ('default_hooks.checkpoint.interval', 1),
    ('default_hooks.checkpoint.max_keep_ckpts', 1),
]
_OTHERS = [('randomness.seed', 0), ('log_processor.window_size', 1), ('model.test_cfg.max_per_img', 1)]
_LOADER = [('batch_size', 1), ('num_workers', 0), ('prefetch_factor', 1)]
# MMEngine's and mmdet's word for never, or for no limit.
_NO_LIMIT = -1
_WITHOUT_LIMIT = ('checkpoint.interval', 'max_keep_ckpts', 'max_per_img')
_SHARES = ['model.test_cfg.score_thr', 'model.test_cfg.nms.iou_threshold']
# What numpy takes as a seed.
_SEEDS = 2**32


def check_values(config: Config, loaders: tuple[str, ...]) -> None:
    """Check batch sizes, workers, lengths, intervals, thresholds, the learning rate and the seed.

    Args:
        config: A whole config.
        loaders: The sections that are used, of ``train_dataloader``, ``val_dataloader``, ``test_dataloader``.

    Raises:
        UserError: A number is out of its range or none at all, or the metric that chooses the best checkpoint is of no
            evaluator.
    """
    training = 'train_dataloader' in loaders
    numbers = [(f'{loader}.{key}', least) for loader in loaders for key, least in _LOADER]
    for path, least in [*numbers, *(_LOOP if training else []), *_HOOKS, *_OTHERS]:
        value = _value(config, path)
        no_limit = path.endswith(_WITHOUT_LIMIT) and value == _NO_LIMIT
        whole = isinstance(value, int) and not isinstance(value, bool)
        _expect(
            value is None or no_limit or (whole and value >= least), path, value, f'a whole number of at least {least}'
        )
    for path in _SHARES:
        value = _value(config, path)
        _expect(value is None or (_is_number(value) and 0 <= value <= 1), path, value, 'a number from 0 to 1')
    seed = _value(config, 'randomness.seed')
    _expect(seed is None or seed < _SEEDS, 'randomness.seed', seed, f'a whole number below {_SEEDS}')
    _check_environment(config)
    if training:
        rate = _value(config, 'optim_wrapper.optimizer.lr')
        _expect(rate is None or (_is_number(rate) and rate > 0), 'optim_wrapper.optimizer.lr', rate, 'a number above 0')
        _check_schedules(config)
        _check_logger(config)
        check_best(config)


def _expect(good: bool, path: str, value: Any, expected: str) -> None:
    if not good:
        raise UserError(f'{path}: {value!r}, expected {expected}')


def _value(config: Config, path: str) -> Any:
    node: Any = config
    for name in path.split('.'):
        node = node.get(name) if hasattr(node, 'get') else None
    return node


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_environment(config: Config) -> None:
    level = config.get('log_level')
    names = [name for name in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL') if hasattr(logging, name)]
    _expect(level is None or isinstance(level, int) or level in names, 'log_level', level, f'one of {", ".join(names)}')
    path = 'env_cfg.mp_cfg.mp_start_method'
    method, known = _value(config, path), multiprocessing.get_all_start_methods()
    _expect(method is None or method in known, path, method, f'one of {", ".join(known)}')


def _check_schedules(config: Config) -> None:
    for path, scheduler in walk(config.get('param_scheduler'), 'param_scheduler'):
        for key in ('T_max', 'total_steps'):
            value = scheduler.get(key, 1)
            _expect(isinstance(value, int) and value > 0, f'{path}.{key}', value, 'a whole number of at least 1')


def _check_logger(config: Config) -> None:
    meters = [path for path, hook in walk(config.get('custom_hooks'), 'custom_hooks') if 'LoaderMeter' in str(hook)]
    if meters and 'logger' in (config.get('default_hooks') or {}) and config.default_hooks.logger is None:
        raise UserError(
            f"default_hooks.logger: None, expected a hook such as dict(type='LoggerHook'), which {meters[0]} needs"
        )
