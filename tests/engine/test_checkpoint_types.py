import pickle
from typing import Any

import numpy as np
import pytest
from mmengine.logging import HistoryBuffer

from ssd_plugin.engine.checkpoint_types import allowed_globals, history_statistic


@pytest.mark.parametrize('name', ['min', 'max', 'mean', 'current'])
def test_the_statistics_of_a_history_are_found(name: str) -> None:
    assert history_statistic(HistoryBuffer, name) is getattr(HistoryBuffer, name)


@pytest.mark.parametrize(
    ('owner', 'name'), [(HistoryBuffer, '__init__'), (HistoryBuffer([1], [1]), 'mean'), (np, 'max')]
)
def test_any_other_attribute_is_refused(owner: Any, name: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r'builtins\.getattr was not an allowed'):
        history_statistic(owner, name)


def test_the_list_is_short_and_holds_no_way_out() -> None:
    allowed = allowed_globals()
    assert allowed['numpy.core.multiarray.scalar'] is allowed['numpy._core.multiarray.scalar']
    assert allowed['builtins.getattr'] is history_statistic
    assert len(allowed) <= 25
    modules = {name.rpartition('.')[0] for name in allowed}
    assert modules <= {
        'builtins',
        '_codecs',
        'mmengine.logging.history_buffer',
        'numpy',
        'numpy.dtypes',
        'numpy.core.multiarray',
        'numpy._core.multiarray',
    }
