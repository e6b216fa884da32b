"""The types that a config names: look one up, and name one that no registry knows in one line."""

import inspect
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Optional

from mmengine import registry as mmengine_registry
from mmengine.config import Config
from mmengine.registry import Registry, build_functions
from torch.utils.data import DataLoader

from ssd_plugin.errors import UserError

_UNKNOWN = re.compile(r'(\S+) is not in the .+? registry')
_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")


def walk(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Visit every dict in a part of a config.

    Args:
        value: The part.
        path: Its key path, ``model`` say.

    Yields:
        The key path and the dict, the outer before the inner ones.
    """
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from walk(inner, f'{path}.{key}' if path else key)
    elif isinstance(value, (list, tuple)):
        for i, inner in enumerate(value):
            yield from walk(inner, f'{path}[{i}]')


def option_key(path: str) -> str:
    """Write a key path of :func:`walk` as ``--cfg-options`` takes it: ``datasets.0`` for ``datasets[0]``.

    Args:
        path: The key path.

    Returns:
        The dotted key.
    """
    return re.sub(r'\[(\d+)\]', r'.\1', path)


def find(registry: Registry, name: Any, scope: Optional[str]) -> Optional[Any]:
    """Find what a type stands for, as a build of it would.

    Args:
        registry: A root registry of MMEngine.
        name: Value of ``type``: a name with or without a scope, or the class itself.
        scope: The default scope.

    Returns:
        The class or function, or None.
    """
    if not isinstance(name, str):
        return name
    with registry.switch_scope_and_registry(scope) as scoped:
        return scoped.get(name)


@contextmanager
def refusals_in_one_line(config: Config) -> Iterator[None]:
    """Turn the refusal of a type, of a key or of a value into one line, around what builds parts of a config.

    Args:
        config: What is built.

    Raises:
        UserError: No registry knows a type, see :func:`unknown_type`, or a part refuses its settings.
    """
    try:
        yield
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        refusal = _refusal(config, error)
        if refusal is None:
            raise
        raise refusal from error


def _refusal(config: Config, error: Exception) -> Optional[UserError]:
    """Say in one line what a build refuses; None for an error that no build of a part raised."""
    if isinstance(error, UserError):
        # A part of the model is built by the detector, which names it. It remains to find a misspelt key.
        inner = error.__cause__
        return _refusal(config, inner) if isinstance(inner, TypeError) and _UNEXPECTED.search(str(inner)) else None
    reason = str(error.args[0] if error.args else error)
    if isinstance(error, KeyError) and (unknown := _UNKNOWN.search(reason)):
        return unknown_type(config, unknown[1])
    built = _part_of(error)
    whole = list(walk(config.to_dict(), ''))
    if isinstance(error, TypeError) and (unexpected := _UNEXPECTED.search(reason)):
        # A loader has no type.
        places = [place for place in whole if unexpected[1] in place[1] and place[1].get('type') == built.get('type')]
        return _unexpected_key(places, unexpected[1], config.get('default_scope')) if places else None
    # Its builder may have put in more settings, so that it equals none in the config.
    paths = [path for path, part in whole if part and part == built]
    paths = paths or [path for path, part in whole if part.get('type') == built.get('type', '')]
    if not paths:
        return None
    return UserError(
        f'{", ".join(paths)}: {built["type"]} refuses its settings ({type(error).__name__}: '
        f'{(reason.strip().splitlines() or ["no reason given"])[0]}), expected others'
    )


def _part_of(error: Exception) -> dict[str, Any]:
    """Find the innermost part that was being built, in the frames of MMEngine's builder; {} outside of a build."""
    built: dict[str, Any] = {}
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get('__name__') == build_functions.__name__:
            part = frame.f_locals.get('cfg')
            built = part if isinstance(part, dict) and 'type' in part else built
    return built


def unknown_type(config: Config, name: str) -> UserError:
    """Make the error for a type that no registry knows.

    Args:
        config: What names it.
        name: Value of ``type``.

    Returns:
        The error; its line has the key paths in the config, and the closest names.
    """
    places = [f'{path}.type' for path, part in walk(config.to_dict(), '') if part.get('type') == name]
    close = ', '.join(get_close_matches(name, _registered(config.get('default_scope')), n=3, cutoff=0))
    return UserError(f'{", ".join(places) or config.filename}: {name!r} is not registered, expected one like {close}')


def check_keywords(config: Config, path: str, part: dict[str, Any]) -> None:
    """Look for misspelt settings of a part whose type takes any, and passes them on later.

    Args:
        config: A whole config.
        path: Key path of the part.
        part: With its type.

    Raises:
        UserError: One is none of the type nor of its bases; the line has the closest ones.
    """
    scope = config.get('default_scope')
    for key in sorted(set(part) - _parameters(part.get('type'), scope) - {'type', 'priority', '_scope_'}):
        raise _unexpected_key([(path, part)], key, scope)


def _unexpected_key(places: list[tuple[str, dict[str, Any]]], key: str, scope: Optional[str]) -> UserError:
    known = {parameter for _, part in places for parameter in _parameters(part.get('type', DataLoader), scope)}
    close = ', '.join(get_close_matches(key, sorted(known - {key}), n=3, cutoff=0))
    return UserError(f'{", ".join(f"{path}.{key}" for path, _ in places)}: no such setting, expected one like {close}')


def _parameters(name: Any, scope: Optional[str]) -> set[str]:
    """List the keywords of a type, those that its base classes take included."""
    roots = [root for root in vars(mmengine_registry).values() if isinstance(root, Registry)]
    kinds = {kind for root in roots if (kind := find(root, name, scope)) is not None}
    classes = [base for kind in kinds for base in (inspect.getmro(kind) if inspect.isclass(kind) else [kind])]
    names = {parameter for one in classes if one is not object for parameter in inspect.signature(one).parameters}
    return names - {'args', 'kwargs'}


def _registered(scope: Optional[str]) -> list[str]:
    """List what a config can name, in whatever registry."""
    names = set()
    for root in vars(mmengine_registry).values():
        if isinstance(root, Registry):
            names |= set(root.module_dict)
            for child_scope, child in root.children.items():
                prefix = '' if child_scope == scope else f'{child_scope}.'
                names |= {prefix + name for name in child.module_dict}
    return sorted(names)
