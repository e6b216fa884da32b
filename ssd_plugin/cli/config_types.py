"""Finds the types that a config names and no registry knows, before anything is built."""

from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Optional

import mmengine.runner  # noqa: F401  # fills MMEngine's own registries
from mmengine import registry as roots
from mmengine.config import Config
from mmengine.registry import Registry

from ssd_plugin.errors import UserError
from ssd_plugin.registry import SCOPE

_MODEL = (roots.MODELS, roots.TASK_UTILS, roots.WEIGHT_INITIALIZERS)
_DATA = (roots.DATASETS, roots.TRANSFORMS, roots.DATA_SAMPLERS, roots.FUNCTIONS)
_EVALUATOR = (roots.METRICS, roots.EVALUATOR, roots.TASK_UTILS)
_HOOKS = (roots.HOOKS, roots.TRANSFORMS)
_BOTH = {
    'model': _MODEL,
    'tta_model': _MODEL,
    'default_hooks': _HOOKS,
    'custom_hooks': _HOOKS,
    'visualizer': (roots.VISUALIZERS, roots.VISBACKENDS),
    'log_processor': (roots.LOG_PROCESSORS,),
}
# The sections that a run of each mode builds, and the registries that each part of them comes from.
SECTIONS: dict[str, dict[str, tuple[Registry, ...]]] = {
    'train': {
        **_BOTH,
        'train_dataloader': _DATA,
        'val_dataloader': _DATA,
        'val_evaluator': _EVALUATOR,
        'train_cfg': (roots.LOOPS,),
        'val_cfg': (roots.LOOPS,),
        'optim_wrapper': (roots.OPTIM_WRAPPERS, roots.OPTIMIZERS),
        'param_scheduler': (roots.PARAM_SCHEDULERS,),
    },
    'test': {**_BOTH, 'test_dataloader': _DATA, 'test_evaluator': _EVALUATOR, 'test_cfg': (roots.LOOPS,)},
    'infer': {'model': _MODEL, 'test_dataloader': _DATA, 'visualizer': _BOTH['visualizer']},
}
# The parts of a model that are always built from a registry; elsewhere (nms, roi_layer) ``type`` has other meanings.
_MODEL_PARTS = {
    *('model', 'tta_model', 'backbone', 'neck', 'bbox_head', 'data_preprocessor', 'batch_augments', 'init_cfg'),
    *('anchor_generator', 'bbox_coder', 'assigner', 'sampler', 'iou_calculator', 'norm_cfg', 'act_cfg', 'conv_cfg'),
    *('loss', 'loss_cls', 'loss_bbox'),
}


def walk(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Visits every dict in a part of a config.

    Args:
        value: The part.
        path: Its key path, ``model`` say.

    Yields:
        The key path and the dict, the outer before the inner ones; not those inside ``Albu``.
    """
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            # What Albu wraps are transforms of another package.
            if value.get('type') != 'Albu':
                yield from walk(inner, f'{path}.{key}')
    elif isinstance(value, (list, tuple)):
        for i, inner in enumerate(value):
            yield from walk(inner, f'{path}[{i}]')


def check_types(config: Config, mode: str) -> None:
    """Looks up every ``type`` that a run will build.

    Args:
        config: A whole config.
        mode: 'train', 'test' or 'infer'.

    Raises:
        UserError: A type is in no registry it could come from; the line has its key path, and the closest names.
    """
    for section, registries in SECTIONS[mode].items():
        for path, part in walk(config.get(section), section):
            name, scope = part.get('type'), part.get('_scope_', config.get('default_scope'))
            if not isinstance(name, str) or not _is_registered_part(path, name, registries):
                continue
            if not any(find(registry, name, scope) for registry in registries):
                close = ', '.join(get_close_matches(name, _known(registries, scope), n=3, cutoff=0))
                raise UserError(f'{path}.type: {name!r} is not registered, expected one like {close}')


def _is_registered_part(path: str, name: str, registries: tuple[Registry, ...]) -> bool:
    key = path.rpartition('.')[2].partition('[')[0]
    return registries is not _MODEL or key in _MODEL_PARTS or name.startswith(f'{SCOPE}.')


def find(registry: Registry, name: str, scope: Optional[str]) -> Optional[Any]:
    """Finds what a type stands for, as a build of it would.

    Args:
        registry: A root registry of MMEngine.
        name: Value of ``type``, with or without a scope.
        scope: The default scope.

    Returns:
        The class or function, or None.

    Raises:
        UserError: The scope is no package that has registries.
    """
    if scope is not None and scope not in registry.children:
        try:
            import_module(f'{scope}.registry')
        except ModuleNotFoundError as error:
            raise UserError(f"default_scope: {scope!r} has no registries ({error}), expected 'mmdet'") from error
    try:
        return registry.children.get(scope, registry).get(name)
    except RuntimeError:
        # Raised for a name with a dot that is no module either.
        return None


def _known(registries: tuple[Registry, ...], scope: Optional[str]) -> list[str]:
    names = []
    for registry in registries:
        names += list(registry.module_dict)
        for child_scope, child in registry.children.items():
            prefix = '' if child_scope == scope else f'{child_scope}.'
            if child_scope in (scope, SCOPE):
                names += [prefix + name for name in child.module_dict]
    return names
