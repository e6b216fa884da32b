"""Loads checkpoints without running code from them, and lets MMEngine resume its own.

torch >= 2.6 loads tensors and plain values only, which MMEngine 0.10.7 does not expect: its checkpoints hold more, and
``--resume`` fails. Older torch runs whatever a checkpoint asks for. Here both load exactly what MMEngine writes.
"""

import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Optional, Union

import torch
from mmengine.runner import CheckpointLoader

from ssd_plugin.errors import UserError

from .checkpoint_types import allowed_globals

_TORCH_LOADS_SAFELY = torch.__version__ >= '2.6'
_REFUSED = re.compile(r'GLOBAL (\S+) (?:was not an allowed|whose module)')
_torch_load: Callable[..., Any] = torch.load
_mmengine_load: Callable[..., Any] = CheckpointLoader.load_checkpoint.__func__


def _safe_options() -> dict[str, Any]:
    if _TORCH_LOADS_SAFELY:
        return {'weights_only': True}
    # Needs a part of torch that later versions need not keep.
    from . import restricted_unpickler

    return {'weights_only': False, 'pickle_module': restricted_unpickler}


def _read(file: Any, map_location: Any, name: str) -> dict[str, Any]:
    try:
        checkpoint = _torch_load(file, map_location=map_location, **_safe_options())
    except OSError:
        raise
    except Exception as error:
        # A damaged pickle can fail with nearly any exception, so that none is left out.
        refused = _REFUSED.search(str(error)) if isinstance(error, pickle.UnpicklingError) else None
        if refused:
            raise UserError(
                f'{name}: holds pickled objects ({refused[1]}) beyond tensors and plain values, not loaded'
            ) from error
        reason = str(error).strip().partition('\n')[0].partition('. ')[0] or 'no reason given'
        raise UserError(
            f'{name}: not readable as a checkpoint, expected an intact file of torch.save '
            f'({type(error).__name__}: {reason})'
        ) from error
    if not isinstance(checkpoint, dict):
        raise UserError(f'{name}: holds a {type(checkpoint).__name__}, expected the dict of a checkpoint')
    return checkpoint


@contextmanager
def _named_file_errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f'{name}: no such checkpoint, expected a file that exists') from error
    except OSError as error:
        raise UserError(f'{name}: the checkpoint cannot be opened ({error})') from error


def load_checkpoint_file(path: Union[str, Path], map_location: Any = 'cpu') -> dict[str, Any]:
    """Loads a local checkpoint: tensors, plain values and what MMEngine's message hub holds.

    Args:
        path: The file; ``~`` is the home directory.
        map_location: Where the tensors go, as in ``torch.load``.

    Returns:
        The dict in the file.

    Raises:
        UserError: The file is missing, damaged, no checkpoint, or needs code to be run; the line names the file and
            the reason.
    """
    with _named_file_errors(str(path)):
        return _read(Path(path).expanduser(), map_location, str(path))


def _load_checkpoint(
    cls: type, filename: str, map_location: Any = None, logger: Optional[Any] = 'current'
) -> dict[str, Any]:
    """MMEngine's loader of every scheme (file, http, torchvision...), with torch's part of it made safe."""

    def safe_load(file: Any, map_location: Any = None, **_: Any) -> dict[str, Any]:
        return _read(file, map_location, filename)

    with _named_file_errors(filename):
        # The loaders of the schemes have nothing in common but this function of torch.
        torch.load = safe_load  # type: ignore[assignment]
        try:
            return _mmengine_load(cls, filename, map_location, logger)
        finally:
            torch.load = _torch_load


def install() -> None:
    """Sends every checkpoint that MMEngine loads in this process the safe way; a second call changes nothing.

    ``CheckpointLoader.load_checkpoint`` is the one function that resuming, ``load_from``, pretrained weights and the
    inferencer have in common.
    """
    if _TORCH_LOADS_SAFELY:
        torch.serialization.add_safe_globals([(kind, name) for name, kind in allowed_globals().items()])
    CheckpointLoader.load_checkpoint = classmethod(_load_checkpoint)
