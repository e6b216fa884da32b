import pytest
import torch

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


@pytest.mark.parametrize('threshold', [0, -1, 1.5])
def test_bad_settings_are_refused(threshold):
    with pytest.raises(UserError, match='expected more than 0'):
        SSDAssigner(pos_iou_thr=threshold)
