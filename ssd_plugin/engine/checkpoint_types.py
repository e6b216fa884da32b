"""The types that MMEngine's checkpoints hold beside tensors and plain Python values.

Every checkpoint of a training run carries the message hub: ``HistoryBuffer`` objects, which hold numpy arrays, and
numpy scalars. Nothing else is allowed to be unpickled.
"""

import codecs
import pickle
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer

# The statistics that MMEngine itself defines; a pickled HistoryBuffer names each by a call of getattr.
_STATISTICS = ('min', 'max', 'mean', 'current')
# The same functions moved in numpy 2, and a checkpoint outlives the numpy that wrote it.
_NUMPY_MODULES = ('numpy.core.multiarray', 'numpy._core.multiarray')
_DTYPE_CODES = '?bhilqBHILQefd'


def history_statistic(owner: Any, name: str) -> Any:
    """Stand in for ``getattr`` in a checkpoint: give the statistics of a HistoryBuffer and nothing else.

    Args:
        owner: Must be the class ``HistoryBuffer``.
        name: One of the statistics that MMEngine defines.

    Returns:
        The function of that name.

    Raises:
        pickle.UnpicklingError: Anything else is asked for.
    """
    if owner is not HistoryBuffer or name not in _STATISTICS:
        raise pickle.UnpicklingError('GLOBAL builtins.getattr was not an allowed global')
    return getattr(HistoryBuffer, name)


def allowed_globals() -> dict[str, Any]:
    """List what a checkpoint may name beyond what torch allows by itself.

    Returns:
        Full name as it stands in a pickle -> the object it is replaced by.
    """
    # Asking numpy for its own functions works before and after their move.
    reconstruct, scalar = np.zeros(1).__reduce__()[0], np.float64(0).__reduce__()[0]
    allowed: dict[str, Any] = {
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'builtins.getattr': history_statistic,
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype,
        '_codecs.encode': codecs.encode,
    }
    for module in _NUMPY_MODULES:
        allowed[f'{module}._reconstruct'] = reconstruct
        allowed[f'{module}.scalar'] = scalar
    for code in _DTYPE_CODES:
        kind = type(np.dtype(code))
        allowed[f'{kind.__module__}.{kind.__qualname__}'] = kind
    return allowed
