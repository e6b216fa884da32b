import pytest
import torch
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData

from ssd_plugin.models.task_modules.assigners.batch_gt_instances import get_img_sizes, pad_gt_instances

SIZES = torch.tensor([[100.0, 50.0], [80.0, 80.0]])


def image(boxes, labels=None):
    data = InstanceData(bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4))
    if labels is not None:
        data.labels = torch.tensor(labels)
    return data


def test_padded_to_the_image_with_the_most():
    batch_gt = pad_gt_instances([image([[1, 2, 3, 4]], [7]), image([[5, 5, 9, 9], [6, 6, 8, 8]], [1, 2])], SIZES)
    assert batch_gt.gt_valid.tolist() == [[True, False], [True, True]]
    assert batch_gt.gt_bboxes.tolist() == [[[1, 2, 3, 4], [0, 0, 0, 0]], [[5, 5, 9, 9], [6, 6, 8, 8]]]
    assert (batch_gt.gt_labels[0, 0].item(), batch_gt.gt_labels[1].tolist()) == (7, [1, 2])


@pytest.mark.parametrize(
    'box',
    [
        [float('nan'), 0, 5, 5],
        [0, 0, float('inf'), 5],
        [-float('inf'), 0, 5, 5],
        [5, 5, 5, 9],
        [5, 5, 9, 5],
        [9, 5, 5, 9],
        [5, 9, 9, 5],
        [100, 0, 120, 20],
        [0, 50, 20, 70],
        [-20, 0, 0, 20],
        [0, -20, 20, 0],
    ],
)
def test_unusable_boxes_are_masked_and_labels_stay_in_place(box):
    batch_gt = pad_gt_instances([image([[0, 0, 5, 5], box, [1, 1, 9, 9]], [3, 4, 5])], SIZES[:1])
    assert batch_gt.gt_valid.tolist() == [[True, False, True]]
    assert batch_gt.gt_labels[batch_gt.gt_valid].tolist() == [3, 5]
    assert batch_gt.gt_bboxes[0, 1].tolist() == [0, 0, 0, 0]


def test_boxes_partly_outside_stay_as_they_are():
    batch_gt = pad_gt_instances([image([[-5, -5, 200, 60]], [0])], SIZES[:1])
    assert batch_gt.gt_valid.all()
    assert batch_gt.gt_bboxes[0, 0].tolist() == [-5, -5, 200, 60]


def test_images_without_boxes_labels_or_anything():
    batch_gt = pad_gt_instances([image([], []), image([[0, 0, 5, 5]])], SIZES)
    assert batch_gt.gt_valid.tolist() == [[False], [True]]
    assert pad_gt_instances([None, image([[0, 0, 5, 5]])], SIZES).gt_valid.tolist() == [[False], [True]]
    assert pad_gt_instances([image([], []), None], SIZES).gt_valid.tolist() == [[False], [False]]


def test_boxes_of_mmdet_and_of_other_types():
    boxes = torch.tensor([[1, 2, 30, 40]])
    batch_gt = pad_gt_instances(
        [InstanceData(bboxes=HorizontalBoxes(boxes), labels=torch.tensor([1], dtype=torch.int32))], SIZES[:1]
    )
    assert (batch_gt.gt_bboxes.dtype, batch_gt.gt_labels.dtype) == (torch.float32, torch.int64)
    assert batch_gt.gt_bboxes[0, 0].tolist() == [1, 2, 30, 40]


def test_sizes_are_width_then_height():
    assert get_img_sizes([dict(img_shape=(50, 100)), dict(img_shape=(80, 80, 3))], torch.device('cpu')).equal(SIZES)
