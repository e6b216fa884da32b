"""Check the numbers of a run, and what it keeps the best checkpoint by."""

from typing import Any, Optional

from mmengine.config import Config
from mmengine.registry import METRICS

from ssd_plugin.errors import UserError

from .config_types import find, walk

# Key path in the config, and the least whole number; -1 is MMEngine's word for never.
_LOOP = [('train_cfg.max_epochs', 1), ('train_cfg.max_iters', 1), ('train_cfg.val_interval', 1)]
_HOOKS = [('default_hooks.logger.interval', 1), ('default_hooks.checkpoint.interval', 1), ('randomness.seed', 0)]
_NEVER = -1


def check_values(config: Config, loaders: tuple[str, ...]) -> None:
    """Check batch sizes, workers, lengths, intervals and the seed.

    Args:
        config: A whole config.
        loaders: The sections that are used, of ``train_dataloader``, ``val_dataloader``, ``test_dataloader``.

    Raises:
        UserError: A number is zero, negative, too small or none at all, or the metric that chooses the best
            checkpoint is of no evaluator.
    """
    sizes = [(f'{loader}.{key}', least) for loader in loaders for key, least in (('batch_size', 1), ('num_workers', 0))]
    training = 'train_dataloader' in loaders
    for path, least in [*sizes, *(_LOOP if training else []), *_HOOKS]:
        value = _value(config, path)
        never = path.endswith('checkpoint.interval') and value == _NEVER
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not never and not (whole and value >= least):
            raise UserError(f'{path}: {value!r}, expected a whole number of at least {least}')
    if training:
        _check_logger(config)
        _check_best(config)


def _value(config: Config, path: str) -> Any:
    node: Any = config
    for name in path.split('.'):
        node = node.get(name) if hasattr(node, 'get') else None
    return node


def _check_logger(config: Config) -> None:
    meters = [path for path, hook in walk(config.get('custom_hooks'), 'custom_hooks') if 'LoaderMeter' in str(hook)]
    if meters and 'logger' in (config.get('default_hooks') or {}) and config.default_hooks.logger is None:
        raise UserError(
            f"default_hooks.logger: None, expected a hook such as dict(type='LoggerHook'), which {meters[0]} needs"
        )


def _check_best(config: Config) -> None:
    best = _value(config, 'default_hooks.checkpoint.save_best')
    prefixes = {
        _prefix(part, config.get('default_scope'))
        for _, part in walk(config.get('val_evaluator'), 'val_evaluator')
        if 'type' in part
    }
    for name in best if isinstance(best, (list, tuple)) else [best]:
        if not prefixes or name in (None, 'auto'):
            continue
        if not isinstance(name, str) or name.partition('/')[0] not in prefixes:
            raise UserError(
                f'default_hooks.checkpoint.save_best: {name!r}, expected auto or the name of a metric that begins with '
                f'{" or ".join(f"{prefix}/" for prefix in sorted(map(str, prefixes)))}'
            )


def _prefix(metric: dict[str, Any], scope: Optional[str]) -> Optional[str]:
    return metric.get('prefix') or getattr(find(METRICS, metric['type'], scope), 'default_prefix', None)
