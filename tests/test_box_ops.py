import math
from unittest import mock

import pytest
import torch
from drawn_boxes import boxes
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.box_ops import MAX_PAIRS, batched_nms, box_iou, rank_in_group, score_voting

SCORES = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1, width=32))
BOXES = torch.tensor([[0.0, 0, 10, 10], [5, 5, 15, 15], [20, 20, 30, 30]])


def test_iou_by_hand():
    others = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 5, 10]], [[20, 20, 30, 25], [0, 0, 0, 0]]])
    # 25 / (100 + 100 - 25), 100 / 200 of the half box, 25 / (50 + 100 - 25).
    expected = torch.tensor([[[1, 25 / 175, 0], [0.5, 0, 0]], [[0, 0, 0.5], [0, 0, 0]]])
    torch.testing.assert_close(box_iou(others[:, :, None], BOXES), expected)
    torch.testing.assert_close(box_iou(BOXES, BOXES.flip(0)), torch.tensor([0.0, 1, 0]))


def test_iof_is_the_covered_share_of_the_first():
    regions = torch.tensor([[0.0, 0, 100, 100], [0, 0, 10, 5]])
    found = box_iou(BOXES[:, None], regions, 'iof')
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.5], [1, 0], [1, 0]]))


def test_boxes_without_area_overlap_nothing():
    point = torch.tensor([[5.0, 5, 5, 5]])
    assert box_iou(point, point).tolist() == [0]


def test_no_boxes():
    assert box_iou(torch.zeros((2, 0, 1, 4)), BOXES).shape == (2, 0, 3)


def test_rank_in_group():
    scores, groups = torch.tensor([0.3, 0.9, 0.3, 0.1, 0.5]), torch.tensor([2, 0, 2, 0, 2])
    assert rank_in_group(scores, groups).tolist() == [1, 0, 2, 1, 0]
    assert rank_in_group(scores[:0], groups[:0]).tolist() == []


def test_score_voting_by_hand():
    near = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 5, 10], [0, 0, 10, 8]])
    scores, groups = torch.tensor([0.8, 0.4, 0.7, 0.9]), torch.tensor([3, 3, 3, 1])
    # The first is kept: IoU 0.9 with the second, 0.5 with the third; the fourth is of another group.
    weights = [0.8, 0.4 * math.exp(-(0.1**2) / 0.025), 0.7 * math.exp(-(0.5**2) / 0.025)]
    bottom = (weights[0] * 10 + weights[1] * 9 + weights[2] * 10) / sum(weights)
    right = (weights[0] * 10 + weights[1] * 10 + weights[2] * 5) / sum(weights)
    voted = score_voting(near, scores, groups, torch.tensor([3, 0]))
    torch.testing.assert_close(voted, torch.tensor([[0.0, 0, 10, 8], [0, 0, right, bottom]]))
    assert score_voting(near, scores, groups, torch.tensor([], dtype=torch.int64)).shape == (0, 4)


@given(first=boxes(flat=True), second=boxes(flat=True))
def test_overlaps_equal_those_of_double_precision(first, second):
    one, other = torch.tensor(first)[:, None], torch.tensor(second)
    found = {mode: box_iou(one, other, mode) for mode in ('iou', 'iof')}
    assert torch.equal(found['iou'].T, box_iou(other[:, None], one[:, 0]))
    for i, a in enumerate(first.astype(float)):
        for j, b in enumerate(second.astype(float)):
            # Differences of coordinates that are rounded, and areas too small for single precision.
            assert found['iou'][i, j] == pytest.approx(overlap(a, b), rel=1e-4, abs=1e-4) or area(a, b) < 1e-30
            assert found['iof'][i, j] == pytest.approx(covered(a, b), rel=1e-4, abs=1e-4) or area(a, a) < 1e-30
    assert all(((values >= 0) & (values <= 1 + 1e-6)).all() for values in found.values())


def area(a, b):
    return min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def covered(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return width * height / area(a, a) if area(a, a) > 0 else 0.0


def overlap(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


def literal(boxes, scores, idxs, threshold):
    """Greedy suppression as the books have it."""
    overlaps = box_iou(boxes[:, None], boxes).tolist()
    kept = []
    for row in sorted(range(len(boxes)), key=lambda row: (-scores[row], row)):
        if all(idxs[k] != idxs[row] or overlaps[k][row] <= threshold for k in kept):
            kept.append(row)
    return kept


def test_chain_of_overlaps():
    # Each overlaps the next by 6 of 14 px: the second falls to the first, so that the third lives.
    boxes = torch.tensor([[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])
    scores, one = torch.tensor([0.5, 0.4, 0.3]), torch.zeros(3, dtype=torch.int64)
    assert batched_nms(boxes, scores, one, 0.4).tolist() == [0, 2]
    assert batched_nms(boxes, scores, one, 6 / 14 + 1e-6).tolist() == [0, 1, 2]


def test_exactly_the_threshold_lives_and_scores_decide():
    boxes = torch.tensor([[0.0, 0, 10, 5], [0, 0, 10, 10]])
    one = torch.zeros(2, dtype=torch.int64)
    assert batched_nms(boxes, torch.tensor([0.1, 0.9]), one, 0.5).tolist() == [1, 0]
    assert batched_nms(boxes, torch.tensor([0.1, 0.9]), one, 0.49).tolist() == [1]


def test_groups_do_not_compete():
    boxes = torch.tensor([[0.0, 0, 10, 10]] * 5)
    idxs = torch.tensor([7, 0, 7, 2, 2])
    assert batched_nms(boxes, torch.ones(5), idxs, 0.5).tolist() == [0, 1, 3]


def test_nothing_to_suppress():
    none = torch.zeros(0)
    assert batched_nms(torch.zeros((0, 4)), none, none.long(), 0.5).tolist() == []


@given(found=boxes(max_count=12, flat=True), data=st.data(), pairs=st.sampled_from([1, 7, 40, MAX_PAIRS]))
def test_equals_the_literal_rule(found, data, pairs):
    rows = torch.tensor(found)
    scores = data.draw(st.lists(SCORES, min_size=len(rows), max_size=len(rows)))
    idxs = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    # Exactly an overlap, too, which lives.
    threshold = data.draw(st.sampled_from([0.0, 0.45, 1.0, *box_iou(rows[:, None], rows).flatten().tolist()]))
    with mock.patch.multiple('ssd_plugin.box_ops', MIN_PAIRS=pairs, MAX_PAIRS=pairs):
        kept = batched_nms(rows, torch.tensor(scores), torch.tensor(idxs, dtype=torch.int64), threshold)
    assert kept.tolist() == literal(rows, scores, idxs, threshold)


def test_more_pairs_than_are_compared_at_a_time():
    generator = torch.Generator().manual_seed(0)
    count = 800
    assert count**2 > 2 * MAX_PAIRS
    corner = torch.rand((count, 2), generator=generator) * 300
    boxes = torch.cat([corner, corner + 30], 1)
    scores = torch.rand(count, generator=generator)
    idxs = torch.zeros(count, dtype=torch.int64)
    kept = batched_nms(boxes, scores, idxs, 0.3)
    assert 50 < len(kept) < 400
    assert kept.tolist() == literal(boxes, scores.tolist(), idxs.tolist(), 0.3)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_precision_is_kept(dtype):
    assert box_iou(BOXES.to(dtype), BOXES.to(dtype)).dtype == dtype
