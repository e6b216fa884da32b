"""Reads a checkpoint's pickle on torch below 2.6, where torch cannot do so safely by itself.

The module takes the place of ``pickle`` in ``torch.load(..., pickle_module=...)``. There, ``weights_only`` takes no
further type under another name, and has a hole (CVE-2025-32434).
"""

import _compat_pickle
import pickle
from typing import IO, Any, Callable, ClassVar

import torch
from torch import Tensor
from torch._weights_only_unpickler import _get_allowed_globals

from .checkpoint_types import allowed_globals

_ALLOWED: dict[str, Any] = {**_get_allowed_globals(), **allowed_globals()}
_BUILDABLE = (Tensor, torch.nn.Parameter, *[kind for kind in _ALLOWED.values() if isinstance(kind, type)])


class Unpickler(pickle._Unpickler):
    """Unpickles names of the list only, and sets the state of objects of listed types only."""

    dispatch: ClassVar[dict[int, Callable[..., None]]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """Gives the object that stands for a name.

        Raises:
            pickle.UnpicklingError: The name is not in the list.
        """
        module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
        full_name = f'{_compat_pickle.IMPORT_MAPPING.get(module, module)}.{name}'
        if full_name not in _ALLOWED:
            raise pickle.UnpicklingError(f'GLOBAL {full_name} was not an allowed global')
        return _ALLOWED[full_name]

    def load_build(self) -> None:
        """Sets an object's state, as pickle does, unless that would change a class or a function.

        Raises:
            pickle.UnpicklingError: The object is not of a listed type.
        """
        target = self.stack[-2]  # type: ignore[attr-defined]
        if type(target) not in _BUILDABLE:
            raise pickle.UnpicklingError(f'BUILD of {type(target).__name__} is not allowed')
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build


def load(file: IO[bytes], **kwargs: Any) -> Any:
    """Unpickles one object from an open file, as ``pickle.load`` does.

    Args:
        file: Open for reading bytes.
        **kwargs: Passed to the unpickler.

    Returns:
        The object.
    """
    return Unpickler(file, **kwargs).load()
