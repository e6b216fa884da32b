import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd_plugin.models.dense_heads.candidates import Candidates, best_of_groups, select_candidates
from ssd_plugin.models.dense_heads.levels import LevelLogits


def level(probabilities):
    """(B, N, C + 1) as one level of one row."""
    return LevelLogits([probabilities.log().transpose(1, 2)[:, :, None]], probabilities.shape[2])


def listed(found):
    return list(zip(found.image.tolist(), found.prior.tolist(), found.label.tolist()))


PROBABILITIES = torch.tensor(
    [
        [[0.5, 0.3, 0.2], [0.05, 0.05, 0.9], [0.6, 0.3, 0.1]],
        [[0.0, 0.0, 1.0], [0.1, 0.2, 0.7], [0.0, 0.04, 0.96]],
    ]
)


def test_by_image_then_falling_score_then_box():
    found, left_out = select_candidates(level(PROBABILITIES), 0.08, 0)
    # Both scores of 0.3 in image 0: the lower box first.
    assert listed(found) == [(0, 2, 0), (0, 0, 0), (0, 0, 1), (0, 2, 1), (1, 1, 1), (1, 1, 0)]
    torch.testing.assert_close(found.score, torch.tensor([0.6, 0.5, 0.3, 0.3, 0.2, 0.1]))
    assert left_out is None


def test_at_most_so_many_of_an_image():
    found, left_out = select_candidates(level(PROBABILITIES), 0.08, 3)
    assert listed(found) == [(0, 2, 0), (0, 0, 0), (0, 0, 1), (1, 1, 1), (1, 1, 0)]
    assert left_out.tolist() == [True, False]


def test_nothing_above_the_threshold():
    found, left_out = select_candidates(level(PROBABILITIES), 0.7, 5)
    assert listed(found) == []
    assert left_out is None


@pytest.mark.parametrize('threshold', [-1.0, 0.0])
def test_no_threshold(threshold):
    found, _ = select_candidates(level(PROBABILITIES), threshold, 0)
    # Strictly more than 0: the classes of probability 0 count only beneath it.
    assert len(found.score) == (12 if threshold < 0 else 9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**31),
    scale=st.sampled_from([0.0, 0.1, 3.0]),
    threshold=st.sampled_from([-1.0, 0.01, 0.2]),
    limit=st.integers(1, 12),
)
def test_those_given_are_the_first_of_all(seed, scale, threshold, limit):
    # More boxes than twice the limit: the higher threshold of crowded images is at work.
    logits = torch.randn((2, 40, 4), generator=torch.Generator().manual_seed(seed)) * scale
    logits[1, :, 3] += 3
    parts = LevelLogits([logits.transpose(1, 2)[:, :, None]], 4)
    everything, _ = select_candidates(parts, threshold, 0)
    found, left_out = select_candidates(parts, threshold, limit)
    for image in range(2):
        expected = [pair for pair in listed(everything) if pair[0] == image]
        assert [pair for pair in listed(found) if pair[0] == image] == expected[:limit]
        assert (left_out is not None and bool(left_out[image])) >= (len(expected) > limit)


def test_best_of_groups():
    index = torch.tensor([0, 0, 0, 0, 1, 1])
    label = torch.tensor([2, 0, 2, 2, 0, 0])
    found = Candidates(index, torch.arange(6), label, torch.linspace(1, 0.5, 6))
    assert best_of_groups(found, index * 3 + label, 1).prior.tolist() == [0, 1, 4]
    assert best_of_groups(found, index * 3 + label, 2).prior.tolist() == [0, 1, 2, 4, 5]
    assert best_of_groups(found, index * 3 + label, 0) is found
    none = found.pick(index[:0])
    assert best_of_groups(none, none.image, 1).prior.tolist() == []
