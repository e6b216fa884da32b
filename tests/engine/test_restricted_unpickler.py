import io
import os
import pickle
from collections import Counter, OrderedDict
from typing import Any

import numpy as np
import pytest
from mmengine.logging import HistoryBuffer

from ssd_plugin.engine.restricted_unpickler import load


class Command:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple:
        return os.getcwd, ()


# torch.save writes protocol 2.
@pytest.mark.parametrize('protocol', [2, 3])
def test_what_a_checkpoint_holds_comes_back(protocol: int) -> None:
    history = HistoryBuffer([1.0, 3.0], [1, 1])
    content = OrderedDict(history=history, scalar=np.float64(0.5), count=Counter({3: 1}), text='a', boxes=[(1, None)])
    loaded = load(io.BytesIO(pickle.dumps(content, protocol=protocol)))
    assert loaded['history'].mean() == 2.0
    assert loaded['scalar'] == 0.5
    assert [loaded[key] for key in ('count', 'text', 'boxes')] == [Counter({3: 1}), 'a', [(1, None)]]


@pytest.mark.parametrize('protocol', [0, 2, 4])
@pytest.mark.parametrize('content', [Command(), {'deep': [Command()]}])
def test_an_unlisted_name_is_refused(protocol: int, content: Any) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r'GLOBAL \S+\.getcwd was not an allowed global'):
        load(io.BytesIO(pickle.dumps(content, protocol=protocol)))


def test_a_class_is_not_changed_by_a_pickle() -> None:
    # HistoryBuffer, with the state (None, {'mean': 1}): pickle sets that as attributes of the class.
    data = b'cmmengine.logging.history_buffer\nHistoryBuffer\n(N}(S"mean"\nI1\nutb.'
    with pytest.raises(pickle.UnpicklingError, match='BUILD of type is not allowed'):
        load(io.BytesIO(data))
    assert callable(HistoryBuffer.mean)


@pytest.mark.parametrize('module', ['numpy.core.multiarray', 'numpy._core.multiarray'])
def test_both_names_of_numpys_functions_load(module: str) -> None:
    # numpy.dtype('f8'), then scalar(dtype, 8 zero bytes).
    dtype = b'cnumpy\ndtype\n(S"f8"\nI00\nI01\ntR'
    zeros = b'c_codecs\nencode\n(S"' + b'\\x00' * 8 + b'"\nS"latin1"\ntR'
    assert load(io.BytesIO(f'c{module}\nscalar\n('.encode() + dtype + zeros + b'tR.')) == 0.0
