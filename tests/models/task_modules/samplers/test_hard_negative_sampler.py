import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssd_plugin.models.task_modules import HardNegativeSampler


def indices(mask):
    return [row.nonzero()[:, 0].tolist() for row in mask]


def sample(losses, positives, ignored=None, **settings):
    """The kept negatives."""
    ignored = torch.zeros_like(positives) if ignored is None else ignored
    chosen = HardNegativeSampler(**settings)(losses, positives, ignored)
    assert (chosen | ~positives).all()
    return chosen & ~positives


def mask(size, *rows):
    out = torch.zeros((len(rows), size), dtype=torch.bool)
    for row, true in zip(out, rows):
        row[list(true)] = True
    return out


def test_three_hardest_for_each_positive_of_the_same_image():
    losses = torch.tensor([[9.0, 1, 5, 2, 4, 3, 0, 6], [1, 2, 3, 4, 5, 6, 7, 8]])
    # Image 0 has one positive (the hardest box of all), image 1 two: its whole rest is wanted.
    found = sample(losses, mask(8, [0], [6, 7]))
    assert indices(found) == [[2, 4, 7], [0, 1, 2, 3, 4, 5]]


def test_no_more_than_there_are():
    found = sample(torch.ones(1, 5), mask(5, [0, 1]))
    assert indices(found) == [[2, 3, 4]]


def test_no_positive_no_negative():
    assert indices(sample(torch.rand(2, 6), mask(6, [], []))) == [[], []]


def test_min_negatives():
    losses = torch.tensor([[1.0, 3, 2, 5, 4, 0]] * 2)
    assert indices(sample(losses, mask(6, [], [0]), min_negatives=2)) == [[3, 4], [1, 3, 4]]


def test_ignored_boxes_are_never_chosen():
    losses = torch.tensor([[9.0, 8, 7, 6, 5, 4]])
    assert indices(sample(losses, mask(6, [2]), mask(6, [0, 4]))) == [[1, 3, 5]]
    assert indices(sample(losses, mask(6, []), mask(6, range(6)), min_negatives=9)) == [[]]


def test_ties_go_to_the_lower_index():
    losses = torch.tensor([[2.0, 1, 1, 1, 1, 3], [0, 0, 0, 0, 0, 0]])
    assert indices(sample(losses, mask(6, [5], [3]))) == [[0, 1, 2], [0, 1, 2]]


def test_share_is_cut_to_a_whole_number():
    assert indices(sample(torch.ones(1, 8), mask(8, [0]), neg_pos_ratio=1.5)) == [[1]]


LOSSES = st.one_of(st.sampled_from([0.0, 1e-45, 0.5, 1.0, float('inf')]), st.floats(0, 100, width=32))
POSITIVE, IGNORED, FREE = 0, 1, 2


@given(
    data=st.data(),
    images=st.integers(1, 4),
    priors=st.integers(1, 20),
    ratio=st.integers(0, 40).map(lambda quarters: quarters / 4),
    minimum=st.integers(0, 25),
)
def test_equals_a_sorted_list(data, images, priors, ratio, minimum):
    losses = torch.tensor(data.draw(arrays(np.float32, (images, priors), elements=LOSSES)))
    kinds = st.sampled_from([POSITIVE, IGNORED, FREE, FREE])
    state = torch.tensor(data.draw(arrays(np.int64, (images, priors), elements=kinds)))
    found = sample(losses, state == POSITIVE, state == IGNORED, min_negatives=minimum, neg_pos_ratio=ratio)
    for loss, kind, kept in zip(losses.tolist(), state.tolist(), found):
        eligible = sorted((-loss[index], index) for index in range(priors) if kind[index] == FREE)
        wanted = max(int(ratio * kind.count(POSITIVE)), minimum)
        assert kept.nonzero()[:, 0].tolist() == sorted(index for _, index in eligible[:wanted])


@pytest.mark.parametrize('setting', [dict(neg_pos_ratio=-1), dict(min_negatives=-1)])
def test_bad_settings_are_refused(setting):
    with pytest.raises(ValueError, match='expected 0 or more'):
        HardNegativeSampler(**setting)
