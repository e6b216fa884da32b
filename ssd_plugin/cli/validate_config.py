"""Checks a config before anything is built, so that a mistake in it is one line instead of a traceback."""

from pathlib import Path

from mmengine.config import Config

from ssd_plugin.errors import UserError

from .config_data import check_classes, check_data
from .config_types import check_types, walk

_LOADERS: dict[str, tuple[str, ...]] = {
    'train': ('train_dataloader', 'val_dataloader'),
    'test': ('test_dataloader',),
    'infer': (),
}
_NEEDED = {
    'train': ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper'),
    'test': ('model', 'test_dataloader', 'test_cfg', 'test_evaluator'),
    'infer': ('model', 'test_dataloader'),
}


def check_config(config: Config, mode: str) -> None:
    """Checks what a run will use: its sections, types, checkpoints, data and classes.

    Args:
        config: A whole config, with what the command line changes.
        mode: 'train', 'test', or 'infer', which uses no data set.

    Raises:
        UserError: Something is missing, unknown or contradictory; the line says where, what and what was expected.
        ValueError: There is no such mode.
    """
    if mode not in _LOADERS:
        raise ValueError(f'mode must be one of {tuple(_LOADERS)}, got {mode!r}')
    for section in _NEEDED[mode]:
        if not config.get(section):
            raise UserError(f'{config.filename}: no {section}, expected one in a config to {mode} with')
    check_types(config, mode)
    _check_checkpoints(config, mode)
    check_data(config, _LOADERS[mode])
    check_classes(config, _LOADERS[mode])


def _check_checkpoints(config: Config, mode: str) -> None:
    named = [('load_from', config.get('load_from'))]
    if mode == 'train':
        parts = walk(config.model, 'model')
        named += [(f'{path}.checkpoint', part.get('checkpoint')) for path, part in parts if path.endswith('.init_cfg')]
    if mode == 'train' and not config.get('resume'):
        hooks = walk(config.get('custom_hooks'), 'custom_hooks')
        named += [(f'{path}.checkpoint', part.get('checkpoint')) for path, part in hooks]
    for key, place in named:
        if isinstance(place, str) and '://' not in place and not Path(place).expanduser().is_file():
            raise UserError(f'{key}: {place} does not exist, expected a checkpoint file')
