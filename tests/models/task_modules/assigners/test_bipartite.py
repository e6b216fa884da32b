"""The matching by proposals against the authors' loop, written out."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssd_plugin.models.task_modules.assigners import bipartite
from ssd_plugin.models.task_modules.assigners.bipartite import bipartite_match


@pytest.fixture(autouse=True, params=['short lists', 'one box a list', 'whole lists'])
def way(request, monkeypatch):
    """Matches as on a CPU, with lists that often run out, and as on a GPU."""
    if request.param == 'one box a list':
        monkeypatch.setattr(bipartite, 'LIST', 1)
        monkeypatch.setattr(bipartite, 'CHUNK', 1)
    if request.param == 'whole lists':
        monkeypatch.setattr(bipartite, '_with_short_lists', bipartite._with_whole_lists)


def greedy(overlaps, floor):
    """The largest pair is taken out until none is left; boxes are scanned first, then objects."""
    objects, boxes = overlaps.shape
    holder = [-1] * boxes
    free = set(range(objects))
    while free:
        best, pair = floor, None
        for box in range(boxes):
            for thing in range(objects):
                if holder[box] < 0 and thing in free and overlaps[thing, box] > best:
                    best, pair = overlaps[thing, box], (thing, box)
        if pair is None:
            break
        holder[pair[1]] = pair[0]
        free.remove(pair[0])
    return holder


def test_the_loser_takes_its_next_box():
    overlaps = torch.tensor([[[0.6, 0.3, 0.1], [0.9, 0.5, 0.2]]])
    # Object 1 wins box 0; object 0 goes on to box 1 although object 1 overlaps that more.
    assert bipartite_match(overlaps, 1e-6).tolist() == [[1, 0, -1]]


def test_the_loser_may_push_out_a_third():
    overlaps = torch.tensor([[[0.9, 0.8, 0.0], [0.95, 0.1, 0.0], [0.0, 0.7, 0.6]]])
    assert bipartite_match(overlaps, 1e-6).tolist() == [[1, 0, 2]]


def test_ties_go_to_the_lower_box_then_the_lower_object():
    assert bipartite_match(torch.full((1, 2, 3), 0.5), 1e-6).tolist() == [[0, 1, -1]]


def test_no_overlap_no_pair():
    overlaps = torch.tensor([[[0.0, 0.0], [1e-6, 0.4]]])
    assert bipartite_match(overlaps, 1e-6).tolist() == [[-1, 1]]


def test_more_objects_than_boxes():
    overlaps = torch.tensor([[[0.2], [0.7], [0.4]]])
    assert bipartite_match(overlaps, 1e-6).tolist() == [[1]]


def test_padding_takes_part_in_nothing():
    overlaps = torch.tensor([[[0.5, 0.4], [-1.0, -1.0]], [[-1.0, -1.0], [-1.0, -1.0]]])
    assert bipartite_match(overlaps, 1e-6).tolist() == [[0, -1], [-1, -1]]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**31),
    objects=st.integers(1, 12),
    boxes=st.integers(1, 14),
    steps=st.sampled_from([2, 4, 10, 10**6]),
)
def test_equals_the_loop(seed, objects, boxes, steps):
    # Few steps make many equal overlaps, and many zeros.
    values = np.random.RandomState(seed).randint(0, steps, (2, objects, boxes)) / steps
    overlaps = torch.tensor(values, dtype=torch.float32)
    expected = [greedy(image, 1e-6) for image in overlaps.numpy()]
    assert bipartite_match(overlaps, 1e-6).tolist() == expected


def test_many_objects_rank_the_boxes_alike():
    # Longer than a list: the last ones are refused by all of their first.
    values = torch.rand((1, 40, 60), generator=torch.Generator().manual_seed(0))
    overlaps = values[:, :1] * 0.9 + values * 0.1
    assert bipartite_match(overlaps, 1e-6).tolist() == [greedy(overlaps[0].numpy(), 1e-6)]
