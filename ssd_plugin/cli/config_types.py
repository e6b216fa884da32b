"""The types that a config names: look one up, and name one that no registry knows in one line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Optional

from mmengine import registry as mmengine_registry
from mmengine.config import Config
from mmengine.registry import Registry

from ssd_plugin.errors import UserError

_UNKNOWN = re.compile(r'(\S+) is not in the .+? registry')


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
def unknown_types_named(config: Config) -> Iterator[None]:
    """Turn a registry's refusal of a name into one line, around what builds parts of a config.

    Args:
        config: What is built.

    Raises:
        UserError: No registry knows a type; see :func:`unknown_type`.
    """
    try:
        yield
    except KeyError as error:
        found = _UNKNOWN.search(str(error.args[0]))
        if found is None:
            raise
        raise unknown_type(config, found[1]) from error


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
