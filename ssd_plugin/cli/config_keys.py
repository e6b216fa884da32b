"""Refuse keys that nothing reads, which MMEngine would pass over in silence."""

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from ssd_plugin.errors import UserError

from .config_types import option_key, walk

# Beside its arguments the runner looks these up in the whole config, mmdet's test-time augmentation the last two.
_READ = {*inspect.signature(Runner.__init__).parameters, 'custom_imports', 'runner_type', 'model_wrapper_cfg'} | {
    *('sync_bn', 'find_unused_parameters', 'activation_checkpointing', 'efficient_conv_bn_eval', 'compile'),
    *('tta_model', 'tta_pipeline'),
}
# Between them lie `train_dataloder` and names that a file gives its own variables, such as `train_dataset`.
_MISSPELT = 0.9
# Loose enough for `batch_sz`; options that a dict may get and has not, such as `nms_pre` beside `nms`, stay allowed.
_MISSPELT_OPTION = 0.7
_PLACES_SHOWN = 3


def check_keys(config: Config) -> None:
    """Look for top-level keys that are nearly those of a run; other ones are variables of the file.

    Args:
        config: As read from a file.

    Raises:
        UserError: A key is a misspelling; the line has the closest known one.
    """
    for key in sorted(set(config) - _READ):
        for close in get_close_matches(key, _READ, n=1, cutoff=_MISSPELT):
            raise UserError(f'{config.filename}: {key} is read by nothing, expected {close}, or another name')


def check_options(config: Config, options: Mapping[str, Any]) -> None:
    """Look for keys of the command line that would change nothing, and for text in place of True or False.

    A new key of a part, which has a type, is left to the build of the part.

    Args:
        config: As read from a file, before the change.
        options: Dotted key -> value.

    Raises:
        UserError: A key is a variable of the file or unknown, and the line has the closest known keys; or a switch
            gets text, which Python takes for True.
    """
    whole = config.to_dict()
    for option, value in options.items():
        names = option.split('.')
        if names[0] not in _READ:
            variable = ', a variable that the file has used already' if names[0] in whole else ''
            raise UserError(
                f'--cfg-options {option}: no setting of the run{variable}, expected one like '
                f'{", ".join(_places(whole, names[0]))}'
            )
        node: Any = whole
        for depth, name in enumerate(names):
            if isinstance(node, (list, tuple)) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            elif isinstance(node, dict) and name in node:
                node = node[name]
            elif isinstance(node, (list, tuple)):
                raise UserError(f'--cfg-options {option}: {name}, expected a whole number below {len(node)}')
            else:
                known = node if isinstance(node, dict) and depth and 'type' not in node else {}
                for close in get_close_matches(name, known, n=1, cutoff=_MISSPELT_OPTION):
                    expected = '.'.join([*names[:depth], close])
                    raise UserError(f'--cfg-options {option}: {name} is unknown there, expected {expected}')
                break
        else:
            if isinstance(node, bool) and isinstance(value, str):
                raise UserError(f'--cfg-options {option}: {value!r}, expected True or False')


def _places(whole: dict[str, Any], name: str) -> list[str]:
    """List the keys of a run that are called so, or else the one called most like it."""
    places: dict[str, list[str]] = {}
    for path, part in walk({key: value for key, value in whole.items() if key in _READ}, ''):
        prefix = f'{option_key(path)}.' if path else ''
        for key in part:
            places.setdefault(key, []).append(f'{prefix}{key}')
    (close,) = get_close_matches(name, places, n=1, cutoff=0) or ['train_cfg']
    return places.get(close, [close])[:_PLACES_SHOWN]
