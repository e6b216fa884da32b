"""Check a config before anything is built, so that a mistake in it is one line instead of a traceback."""

from importlib.util import find_spec
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS

from ssd_plugin.datasets.doctor.check_annotations import check_annotations, read_copies
from ssd_plugin.errors import UserError

from .compiled_ops import check_compiled_ops
from .config_data import check_classes, check_data
from .config_types import check_keywords, find, unknown_type, walk
from .config_values import check_values
from .launch import on_main_process
from .terminal import busy
from .trackers import prepare_trackers
from .writable import check_writable

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


def validate_config(config: Config, mode: str) -> list[str]:
    """Check what a run will use: its sections, numbers, checkpoints, data and annotations, and where it writes.

    Args:
        config: A whole config, with what the command line changes. Data sets whose annotations need repairs name a
            repaired copy in ``work_dir`` afterwards.
        mode: 'train', 'test', or 'infer', which uses no data set.

    Returns:
        What the user should know of the annotations, a line for each kind of fault.

    Raises:
        UserError: Something is missing or contradictory; the line says where, what and what was expected.
        ValueError: There is no such mode.
    """
    if mode not in _LOADERS:
        raise ValueError(f'mode must be one of {tuple(_LOADERS)}, got {mode!r}')
    for section in _NEEDED[mode]:
        if not config.get(section):
            raise UserError(f'{config.filename}: no {section}, expected one in a config to {mode} with')
    scope = config.get('default_scope')
    if scope is not None and find_spec(scope) is None:
        raise UserError(f'default_scope: {scope!r}, expected an installed package such as mmdet')
    if mode != 'infer':
        _check_evaluation(config)
    if mode == 'train':
        _check_optimizer(config)
        if checkpoint := (config.get('default_hooks') or {}).get('checkpoint'):
            check_keywords(config, 'default_hooks.checkpoint', checkpoint)
    check_values(config, _LOADERS[mode])
    check_compiled_ops(config)
    _check_checkpoints(config, mode)
    prepare_trackers(config)
    loaders = _LOADERS[mode]
    check_data(config, loaders)
    check_classes(config, loaders)
    if mode != 'infer' and config.get('work_dir'):
        check_writable(config.work_dir, 'work_dir')
    copies = Path(config.get('work_dir') or '', 'repaired_annotations')
    with busy('checking annotations'):
        checked = on_main_process(lambda: check_annotations(config, loaders, copies))
    read_copies(config, loaders, checked.copies)
    return checked.lines


def _check_evaluation(config: Config) -> None:
    for part in ('val', 'test'):
        names = [f'{part}_{rest}' for rest in ('dataloader', 'cfg', 'evaluator')]
        missing = [name for name in names if config.get(name) is None]
        if missing and len(missing) < len(names):
            raise UserError(f'{", ".join(missing)}: missing, expected all of {", ".join(names)}, or none')


def _check_optimizer(config: Config) -> None:
    # Any other unknown type is refused by its name when it is built; this one MMEngine goes on with as None.
    kind = (config.optim_wrapper.get('optimizer') or {}).get('type')
    if kind is not None and find(OPTIMIZERS, kind, config.get('default_scope')) is None:
        raise unknown_type(config, kind)


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
