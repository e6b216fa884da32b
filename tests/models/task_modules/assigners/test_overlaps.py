import torch

from ssd_plugin.models.task_modules.assigners.overlaps import iof, iou

PRIORS = torch.tensor([[0.0, 0, 10, 10], [5, 5, 15, 15], [20, 20, 30, 30]])


def test_iou_by_hand():
    boxes = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 5, 10]], [[20, 20, 30, 25], [0, 0, 0, 0]]])
    # 25 / (100 + 100 - 25), 100 / 200 of the half box, 25 / (50 + 100 - 25).
    expected = torch.tensor([[[1, 25 / 175, 0], [0.5, 0, 0]], [[0, 0, 0.5], [0, 0, 0]]])
    torch.testing.assert_close(iou(boxes, PRIORS), expected)


def test_iof_is_the_covered_share_of_the_default_box():
    regions = torch.tensor([[0.0, 0, 100, 100], [0, 0, 10, 5]])
    torch.testing.assert_close(iof(PRIORS, regions), torch.tensor([[1.0, 1, 1], [0.5, 0, 0]]))


def test_no_boxes():
    assert iou(torch.zeros((2, 0, 4)), PRIORS).shape == (2, 0, 3)
