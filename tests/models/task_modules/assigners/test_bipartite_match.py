"""The matching by mutual preference against the authors' loop, written out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.models.task_modules.assigners.ssd_assigner import bipartite_match


def match(overlaps):
    return bipartite_match(overlaps, overlaps.max(1).indices)


def greedy(overlaps, floor=1e-6):
    """The largest pair is taken out until none is left; priors are scanned first, then objects."""
    objects, priors = overlaps.shape
    holder = [-1] * priors
    free = set(range(objects))
    while free:
        best, pair = floor, None
        for prior in range(priors):
            for gt in range(objects):
                if holder[prior] < 0 and gt in free and overlaps[gt, prior] > best:
                    best, pair = overlaps[gt, prior], (gt, prior)
        if pair is None:
            break
        holder[pair[1]] = pair[0]
        free.remove(pair[0])
    return holder


def test_the_loser_takes_its_next_prior():
    overlaps = torch.tensor([[[0.6, 0.3, 0.1], [0.9, 0.5, 0.2]]])
    # Object 1 wins prior 0; object 0 goes on to prior 1 although object 1 overlaps that more.
    assert match(overlaps).tolist() == [[1, 0, -1]]


def test_the_loser_may_push_out_a_third():
    overlaps = torch.tensor([[[0.9, 0.8, 0.0], [0.95, 0.1, 0.0], [0.0, 0.7, 0.6]]])
    assert match(overlaps).tolist() == [[1, 0, 2]]


def test_ties_go_to_the_lower_prior_then_the_lower_object():
    assert match(torch.full((1, 2, 3), 0.5)).tolist() == [[0, 1, -1]]


def test_overlaps_of_a_millionth_make_no_pair():
    overlaps = torch.tensor([[[0.0, 0.0], [1e-6, 0.4]]])
    assert match(overlaps).tolist() == [[-1, 1]]


def test_more_objects_than_priors():
    assert match(torch.tensor([[[0.2], [0.7], [0.4]]])).tolist() == [[1]]


def test_overlaps_are_left_as_they_are():
    overlaps = torch.rand((2, 5, 9), generator=torch.Generator().manual_seed(0))
    before = overlaps.clone()
    match(overlaps)
    assert torch.equal(overlaps, before)


@given(
    seed=st.integers(0, 2**31),
    objects=st.integers(1, 12),
    priors=st.integers(1, 14),
    steps=st.sampled_from([2, 4, 10, 10**6]),
)
def test_equals_the_loop(seed, objects, priors, steps):
    # Few steps make many equal overlaps, and many zeros.
    values = np.random.RandomState(seed).randint(0, steps, (2, objects, priors)) / steps
    overlaps = torch.tensor(values, dtype=torch.float32)
    assert match(overlaps).tolist() == [greedy(image) for image in overlaps.numpy()]


def test_many_objects_rank_the_priors_alike():
    values = torch.rand((1, 40, 60), generator=torch.Generator().manual_seed(0))
    overlaps = values[:, :1] * 0.9 + values * 0.1
    assert match(overlaps).tolist() == [greedy(overlaps[0].numpy())]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_a_gpu_matches_alike():
    overlaps = (torch.rand((4, 20, 50), generator=torch.Generator().manual_seed(0)) * 20).round() / 20
    assert torch.equal(match(overlaps.cuda()).cpu(), match(overlaps))
