from unittest import mock

import pytest
import torch
from drawn_boxes import boxes as drawn
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.box_ops import box_iou
from ssd_plugin.errors import UserError
from ssd_plugin.models.task_modules import SSDAnchorGenerator, SSDAssigner
from ssd_plugin.models.task_modules.assigners import IGNORED, BatchGTInstances

PRIORS = torch.tensor([[0.0, 0, 10, 10], [0, 0, 20, 10], [50, 50, 60, 60], [0, 0, 10, 20]])
NONE = torch.zeros((0, 4))


def batch_gt(*images):
    """Boxes of every image, padded."""
    most = max(1, *(len(boxes) for boxes in images))
    padded = torch.zeros((len(images), most, 4))
    valid = torch.zeros((len(images), most), dtype=torch.bool)
    for row, boxes in enumerate(images):
        padded[row, : len(boxes)] = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        valid[row, : len(boxes)] = True
    return BatchGTInstances(padded, torch.zeros((len(images), most), dtype=torch.int64), valid)


def random_boxes(count, generator, size=300.0):
    corner = torch.rand((count, 2), generator=generator) * size * 0.8
    return torch.cat([corner, corner + 5 + torch.rand((count, 2), generator=generator) * size * 0.3], 1)


def test_forced_and_thresholded_pairs():
    # IoU with the boxes: object 0: 1, 0.5, 0, 0.5; object 1 overlaps box 2 by 25 / 175 only.
    found = SSDAssigner().assign(PRIORS, batch_gt([[0, 0, 10, 10], [55, 55, 65, 65]]))
    assert found.tolist() == [[0, 0, 1, 0]]


def test_exactly_the_threshold_counts():
    assert SSDAssigner(pos_iou_thr=0.5).assign(PRIORS, batch_gt([[0, 0, 10, 10]])).tolist() == [[0, 0, -1, 0]]
    assert SSDAssigner(pos_iou_thr=0.51).assign(PRIORS, batch_gt([[0, 0, 10, 10]])).tolist() == [[0, -1, -1, -1]]


def test_object_without_overlap_stays_unmatched():
    found = SSDAssigner().assign(PRIORS, batch_gt([[100, 100, 110, 110], [0, 0, 10, 10]]))
    assert found.tolist() == [[1, 1, -1, 1]]


def test_forced_pair_keeps_its_object():
    # Both objects like box 0 best; the loser is given box 1, which overlaps the winner more.
    priors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [40, 40, 50, 50]])
    found = SSDAssigner().assign(priors, batch_gt([[0, 0, 10, 10], [0, 0, 10, 12]]))
    assert found.tolist() == [[0, 1, -1]]


def test_box_takes_the_lower_of_equal_objects():
    priors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    assert SSDAssigner().assign(priors, batch_gt([[0, 0, 10, 10], [0, 0, 10, 10]])).tolist() == [[0, 1, 0]]


def test_padding_never_matches():
    # Padding at the very place of a box.
    labels = torch.zeros((1, 2), dtype=torch.int64)
    padded = BatchGTInstances(PRIORS[None, :2].clone(), labels, torch.tensor([[False, True]]))
    assert SSDAssigner().assign(PRIORS, padded).tolist() == [[1, 1, -1, -1]]
    nothing = padded._replace(gt_valid=torch.zeros((1, 2), dtype=torch.bool))
    assert SSDAssigner().assign(PRIORS, nothing).tolist() == [[-1] * 4]


def test_batch_equals_its_images():
    generator = torch.Generator().manual_seed(0)
    priors = random_boxes(500, generator)
    images = [random_boxes(count, generator) for count in (7, 0, 30)]
    rule = SSDAssigner()
    together = rule.assign(priors, batch_gt(*images))
    for row, boxes in zip(together, images):
        assert torch.equal(row, rule.assign(priors, batch_gt(boxes))[0])


def test_ignore_regions_take_free_boxes_only():
    ignored = batch_gt([[0, 0, 20, 20], [50, 50, 60, 55]])
    rule = SSDAssigner(ignore_iof_thr=0.6)
    # Box 2 is covered by half, boxes 0, 1 and 3 wholly; 0 is matched.
    assert rule.assign(PRIORS, batch_gt([[0, 0, 8, 10]]), batch_gt_ignore=ignored).tolist() == [[0, -2, -1, -2]]
    off = SSDAssigner()
    assert off.assign(PRIORS, batch_gt([[0, 0, 8, 10]]), batch_gt_ignore=ignored).tolist() == [[0, -1, -1, -1]]


def test_boxes_beyond_the_border():
    generator = SSDAnchorGenerator([8, 16, 32, 64, 100, 300], basesize_ratio_range=(0.2, 0.9), input_size=300)
    priors = torch.cat(generator.grid_priors([(side, side) for side in (38, 19, 10, 5, 3, 1)], device='cpu'))
    rule = SSDAssigner(ignore_cross_boundary=True)
    found = rule.assign(priors, batch_gt([[0, 0, 300, 300]]), img_sizes=torch.tensor([[300.0, 300]]))
    assert (found == IGNORED).sum() == 2869


def test_object_whose_best_box_crosses_the_border_takes_the_next():
    # IoU of the object with the boxes: 0.5 and, beyond the border at 15, 1.
    priors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 20, 10], [0, 10, 10, 15]])
    objects = batch_gt([[0, 0, 20, 10]])
    rule = SSDAssigner(ignore_cross_boundary=True, pos_iou_thr=0.6)
    assert rule.assign(priors, objects, img_sizes=torch.tensor([[15.0, 15]])).tolist() == [[0, -2, -1]]
    assert rule.assign(priors, objects, img_sizes=torch.tensor([[20.0, 15]])).tolist() == [[-1, 0, -1]]


def one_pair_at_a_time(priors, objects, regions, settings, size):
    """The rule in loops, for one image."""
    crosses = [bool((prior[:2] < 0).any() or (prior[2:] > size).any()) for prior in priors]
    crosses = [settings.ignore_cross_boundary and one for one in crosses]
    overlaps = box_iou(objects[:, None], priors)
    pairs = [
        (-overlaps[gt, prior].item(), prior, gt)
        for prior in range(len(priors))
        for gt in range(len(objects))
        if overlaps[gt, prior] > 1e-6 and not crosses[prior]
    ]
    found = [IGNORED if one else -1 for one in crosses]
    taken = set()
    for _, prior, gt in sorted(pairs):
        if found[prior] == -1 and gt not in taken:
            found[prior] = gt
            taken.add(gt)
    forced = [gt >= 0 for gt in found]
    for prior, free in enumerate(found):
        best = min((pair for pair in pairs if pair[1] == prior), default=None)
        if free == -1 and best is not None and overlaps[best[2], prior] >= settings.pos_iou_thr:
            found[prior] = best[2]
    for prior, free in enumerate(found):
        covered = box_iou(priors[prior], regions, 'iof') >= settings.ignore_iof_thr
        if free == -1 and settings.ignore_iof_thr > 0 and covered.any():
            found[prior] = IGNORED
    assert sum(forced) == len(taken)
    return found


@given(
    priors=drawn(1, 12),
    images=st.lists(drawn(0, 6), min_size=1, max_size=4),
    regions=drawn(0, 3),
    threshold=st.sampled_from([0.1, 0.5, 1 / 3, 1.0]),
    covered=st.sampled_from([-1, 0.5, 1.0]),
    crossing=st.booleans(),
    at_a_time=st.sampled_from([1, 30, 1 << 19]),
)
def test_equals_the_loops_however_many_images_at_a_time(
    priors, images, regions, threshold, covered, crossing, at_a_time
):
    rule = SSDAssigner(threshold, covered, crossing)
    priors, images, regions = torch.tensor(priors), [torch.tensor(one) for one in images], torch.tensor(regions)
    sizes = torch.tensor([[60.0, 40.0], [300, 300], [12, 12], [400, 500]])[: len(images)]
    with mock.patch('ssd_plugin.models.task_modules.assigners.ssd_assigner.MAX_OVERLAPS_CPU', at_a_time):
        found = rule.assign(
            priors, batch_gt(*images), batch_gt_ignore=batch_gt(*[regions] * len(images)), img_sizes=sizes
        )
    for row, objects, size in zip(found, images, sizes):
        assert row.tolist() == one_pair_at_a_time(priors, objects, regions, rule, size)


@pytest.mark.parametrize('threshold', [0, -1, 1.5])
def test_bad_settings_are_refused(threshold):
    with pytest.raises(UserError, match='expected more than 0'):
        SSDAssigner(pos_iou_thr=threshold)
