"""Read a config file; whatever is wrong with it is one line."""

import re
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from ssd_plugin.config_edits import at_size
from ssd_plugin.errors import UserError, printable
from ssd_plugin.shipped_configs import config_path

from .config_keys import check_keys, check_options


def load_config(path: Union[str, Path], overrides: Optional[dict[str, Any]] = None) -> Config:
    """Read a config, change what the command line says, and import what it names.

    The input size of the model changes in every pipeline too.

    Args:
        path: The config file; ``ssd_plugin::FOLDER/NAME.py`` is a shipped one.
        overrides: Dotted key -> value, as ``mmengine.config.DictAction`` gives them.

    Returns:
        The config.

    Raises:
        UserError: The file or one of its bases is missing or not a config, a key is a misspelling, an override does
            not fit, or a module of ``custom_imports`` does not exist.
    """
    path = config_path(str(path))
    if not Path(path).is_file():
        raise UserError(f'{path}: no such config, expected a file')
    try:
        config = Config.fromfile(path, import_custom_modules=False)
    except Exception as error:
        # A config is a program, which can fail in every way.
        raise UserError(f'{path}: not a readable config ({_summary(error)})') from error
    check_keys(config)
    check_options(config, overrides or {})
    try:
        config.merge_from_dict(overrides or {})
    except Exception as error:
        given = ', '.join(f'{key}={value}' for key, value in (overrides or {}).items())
        raise UserError(f'{path}: cannot be changed by {printable(given)} ({_summary(error)})') from error
    if 'model.input_size' in (overrides or {}):
        at_size(config, config.model.input_size)
    _import_modules(config, path)
    return config


def _import_modules(config: Config, path: str) -> None:
    custom = config.get('custom_imports') or {'imports': None}
    if not _names_modules(custom):
        raise UserError(
            f'{path}: custom_imports: {custom!r}, expected dict(imports=[...], allow_failed_imports=False) and names '
            'of modules in the list'
        )
    try:
        import_modules_from_strings(**custom)
    except ImportError as error:
        # A module that exists and is broken keeps its traceback.
        if not isinstance(error.__context__, ModuleNotFoundError):
            raise
        raise UserError(f'{path}: custom_imports: {error} ({error.__context__})') from error


def _names_modules(custom: Any) -> bool:
    if not isinstance(custom, dict) or set(custom) - {'imports', 'allow_failed_imports'}:
        return False
    names = custom.get('imports') or []
    names = [names] if isinstance(names, str) else names
    return isinstance(names, list) and all(
        isinstance(name, str) and re.fullmatch(r'\w+(\.\w+)*', name) for name in names
    )


def _summary(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ['no reason given']
    return f'{type(error).__name__}: {lines[0]}'
