import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd_plugin.models.dense_heads.candidates import Candidates
from ssd_plugin.models.layers import nms
from ssd_plugin.models.layers.nms import batched_nms


def overlap(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


def literal(boxes, found, threshold, limit):
    """Greedy suppression as the books have it."""
    kept = []
    for position, box in enumerate(boxes.tolist()):
        key = (found.image[position], found.label[position])
        better = [k for k in kept if (found.image[k], found.label[k]) == key]
        if all(overlap(box, boxes[k].tolist()) <= threshold for k in better):
            kept.append(position)
    counts = {}
    out = []
    for position in kept:
        image = int(found.image[position])
        counts[image] = counts.get(image, 0) + 1
        if limit <= 0 or counts[image] <= limit:
            out.append(position)
    return out


def candidates(image, label):
    score = torch.linspace(1, 0.1, len(image))
    return Candidates(torch.tensor(image), torch.arange(len(image)), torch.tensor(label), score)


def test_chain_of_overlaps():
    # Each overlaps the next by 6 of 14 px: the second falls to the first, so that the third lives.
    boxes = torch.tensor([[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])
    assert batched_nms(boxes, candidates([0, 0, 0], [1, 1, 1]), 0.4, 200, 1).tolist() == [0, 2]
    assert batched_nms(boxes, candidates([0, 0, 0], [1, 1, 1]), 6 / 14 + 1e-6, 200, 1).tolist() == [0, 1, 2]


def test_exactly_the_threshold_lives():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5]])
    assert batched_nms(boxes, candidates([0, 0], [0, 0]), 0.5, 200, 1).tolist() == [0, 1]


def test_other_classes_and_images_do_not_compete():
    boxes = torch.tensor([[0.0, 0, 10, 10]] * 5)
    found = candidates([0, 0, 0, 2, 2], [0, 1, 0, 0, 0])
    assert batched_nms(boxes, found, 0.5, 200, 3).tolist() == [0, 1, 3]


def test_quota_is_of_each_image():
    boxes = torch.tensor([[i * 20.0, 0, i * 20 + 10, 10] for i in range(6)])
    found = candidates([0, 0, 0, 1, 1, 1], [0] * 6)
    assert batched_nms(boxes, found, 0.5, 2, 2).tolist() == [0, 1, 3, 4]
    assert batched_nms(boxes, found, 0.5, -1, 2).tolist() == [0, 1, 2, 3, 4, 5]


def test_nothing_to_suppress():
    assert batched_nms(torch.zeros((0, 4)), candidates([0], [0]).pick(torch.arange(0)), 0.5, 200, 2).tolist() == []


def test_boxes_without_area_live():
    boxes = torch.tensor([[5.0, 5, 5, 5], [5, 5, 5, 5]])
    assert batched_nms(boxes, candidates([0, 0], [0, 0]), 0.5, 200, 1).tolist() == [0, 1]


@pytest.mark.parametrize('window', [3, 16, 1024])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**31), count=st.integers(1, 80), limit=st.sampled_from([-1, 1, 5, 30]))
def test_equals_the_literal_rule(window, seed, count, limit):
    generator = torch.Generator().manual_seed(seed)
    # Whole pixels on a small board: many overlaps, equal boxes and exact thresholds.
    corner = torch.randint(0, 12, (count, 2), generator=generator)
    boxes = torch.cat([corner, corner + torch.randint(1, 9, (count, 2), generator=generator)], 1).float()
    image = torch.randint(0, 3, (count,), generator=generator).sort().values
    found = candidates(image.tolist(), torch.randint(0, 3, (count,), generator=generator).tolist())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nms, 'WINDOW', window)
        assert batched_nms(boxes, found, 0.5, limit, 3).tolist() == literal(boxes, found, 0.5, limit)
