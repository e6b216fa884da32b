import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**31), steps=st.sampled_from([1, 3, 10**6]), minimum=st.integers(0, 5))
def test_equals_a_sorted_list(seed, steps, minimum):
    generator = torch.Generator().manual_seed(seed)
    losses = torch.randint(0, steps, (3, 30), generator=generator) / steps
    state = torch.randint(0, 12, (3, 30), generator=generator)
    positives, ignored = state == 0, state == 1
    found = sample(losses, positives, ignored, min_negatives=minimum)
    for loss, positive, out, kept in zip(losses, positives, positives | ignored, found):
        eligible = [index for index in range(30) if not out[index]]
        eligible.sort(key=lambda index: (-loss[index].item(), index))
        wanted = max(3 * int(positive.sum()), minimum)
        assert kept.nonzero()[:, 0].tolist() == sorted(eligible[:wanted])


@pytest.mark.parametrize('setting', [dict(neg_pos_ratio=-1), dict(min_negatives=-1)])
def test_bad_settings_are_refused(setting):
    with pytest.raises(ValueError, match='expected 0 or more'):
        HardNegativeSampler(**setting)
