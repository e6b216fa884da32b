"""Load checkpoints without running code from them, and let MMEngine resume its own.

torch loads tensors and plain values only, unless it is told otherwise. MMEngine 0.10.7 does not expect that: its
checkpoints hold more, and ``--resume`` fails. Here exactly what MMEngine writes is allowed beside them.
"""

import pickle
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Union
from urllib.error import URLError
from urllib.parse import urlsplit

import torch
from mmengine.runner import CheckpointLoader, checkpoint

from ssd_plugin.errors import UserError, printable
from ssd_plugin.pretrained_dir import local_weights, not_downloaded

from .checkpoint_types import allowed_globals

_REFUSED = re.compile(r'GLOBAL (\S+) (?:was not an allowed|whose module)')


@contextmanager
def _one_line_errors(name: str) -> Iterator[None]:
    """Turn whatever goes wrong in reading a checkpoint into a UserError that names it."""
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f'{name}: no such checkpoint, expected a file that exists') from error
    except OSError as error:
        raise UserError(f'{name}: the checkpoint cannot be opened ({error})') from error
    except Exception as error:
        # A damaged pickle can fail with nearly any exception, so that none is left out.
        refused = _REFUSED.search(str(error)) if isinstance(error, pickle.UnpicklingError) else None
        if refused:
            raise UserError(
                f'{name}: holds pickled objects ({printable(refused[1])}) beyond tensors and plain values, not loaded'
            ) from error
        # torch puts advice before the unpickler's own words.
        words = str(error).rpartition('WeightsUnpickler error: ')[2].strip()
        reason = words.partition('\n')[0].partition('. ')[0] or 'no reason given'
        raise UserError(
            f'{name}: not readable as a checkpoint, expected an intact file of torch.save '
            f'({type(error).__name__}: {printable(reason)})'
        ) from error


def _checked(loaded: Any, name: str) -> dict[str, Any]:
    if not isinstance(loaded, dict):
        raise UserError(f'{name}: holds a {type(loaded).__name__}, expected the dict of a checkpoint')
    weights = loaded.get('state_dict', {})
    if not isinstance(weights, dict):
        raise UserError(f'{name}: state_dict is a {type(weights).__name__}, expected a dict of weights')
    if isinstance(loaded.get('meta'), dict):
        # The text of a config, which MMEngine would run when it resumes, to learn the number of GPUs.
        loaded['meta'].pop('config', None)
    return loaded


def _check_sums(file: Path) -> None:
    """Compare the checksums that torch writes and does not read."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
        if damaged:
            raise UserError(f'{file}: the checksum of {printable(damaged)} is wrong, expected an intact checkpoint')


def load_checkpoint_file(path: Union[str, Path], map_location: Any = 'cpu') -> dict[str, Any]:
    """Load a local checkpoint: tensors, plain values and what MMEngine's message hub holds.

    Args:
        path: The file; ``~`` is the home directory.
        map_location: Where the tensors go, as in ``torch.load``.

    Returns:
        The dict in the file.

    Raises:
        UserError: The file is missing, damaged, no checkpoint, or needs code to be run; the line names the file and
            the reason.
    """
    file = Path(path).expanduser()
    with _one_line_errors(str(path)):
        _check_sums(file)
        return _checked(torch.load(file, map_location, weights_only=True), str(path))


# The name appears in MMEngine's log: "Loads checkpoint by local backend".
def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Load a file for MMEngine, which passes the path as a text.

    Args:
        filename: See :func:`load_checkpoint_file`.
        map_location: See :func:`load_checkpoint_file`.

    Returns:
        The dict in the file.
    """
    return load_checkpoint_file(filename, map_location)


def _load_url(url: str, **options: Any) -> dict[str, Any]:
    name = Path(urlsplit(url).path).name
    file = local_weights(name, url)
    if file is not None:
        return load_checkpoint_file(file, options.get('map_location', 'cpu'))
    with _one_line_errors(url):
        try:
            return _checked(torch.hub.load_state_dict_from_url(url, weights_only=True, **options), url)
        except URLError as error:
            raise not_downloaded(name, url, error.reason) from error


def install() -> None:
    """Make MMEngine load checkpoints safely in the whole process; a second call changes nothing.

    Resuming, ``load_from``, pretrained weights and the inferencer all go through these three places.
    """
    # Process-wide, and of the whole of torch: there is no list for one caller.
    torch.serialization.add_safe_globals([(kind, name) for name, kind in allowed_globals().items()])
    # MMEngine's own way to replace the loader of local files. Theirs would load as safely, without the one-line errors.
    CheckpointLoader.register_scheme('', load_from_local, force=True)
    # What the loaders of http, torchvision, open-mmlab and mmcls have in common. Without ``weights_only``, which they
    # do not pass, this function of torch still runs any code in the file.
    checkpoint.load_url = _load_url
