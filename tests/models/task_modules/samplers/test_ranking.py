import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd_plugin.models.task_modules.samplers.ranking import top_indices


def test_larger_first_and_equal_by_index():
    values = torch.tensor([[1.0, 3, 3, 2, 3], [0, 0, 0, 0, 0]])
    assert top_indices(values, 4).tolist() == [[1, 2, 4, 3], [0, 1, 2, 3]]


def test_negative_infinite_and_signed_zeros():
    values = torch.tensor([-2.0, -0.0, 0.0, -torch.inf, -1, torch.inf])
    assert top_indices(values, 6).tolist() == [5, 1, 2, 4, 0, 3]


def test_nothing_wanted():
    assert top_indices(torch.rand(2, 3), 0).shape == (2, 0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20), st.data())
def test_equals_a_stable_sort(values, data):
    count = data.draw(st.integers(0, len(values)))
    expected = sorted(range(len(values)), key=lambda index: (-values[index], index))
    assert top_indices(torch.tensor(values, dtype=torch.float32), count).tolist() == expected[:count]
