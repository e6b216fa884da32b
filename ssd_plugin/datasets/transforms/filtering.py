"""The boxes that nothing can be learned from: the one rule of transforms, hooks and tools, and its transform."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from ssd_plugin.registry import TRANSFORMS

from .gt_fields import get_boxes, keep_labels, set_boxes

NOT_FINITE = 'not finite'
# Beyond it float32 skips pixels, and the area of a box soon overflows: 1e30 is as good as infinite.
LARGEST = 2.0**24
NO_AREA = 'zero or negative width or height'
OUTSIDE = 'wholly outside the image'
REASONS = (NOT_FINITE, NO_AREA, OUTSIDE)


def invalid_boxes(boxes: NDArray[Any], width: float, height: float) -> dict[str, NDArray[np.bool_]]:
    """Find the boxes that cannot be learned from, each under its first reason.

    Args:
        boxes: (M, 4) numbers, xyxy in pixels; M may be 0.
        width: Image width in pixels.
        height: Image height in pixels.

    Returns:
        For every reason of ``REASONS``, in that order, a (M,) bool mask; a box is in at most one of them.

    Raises:
        ValueError: ``boxes`` is not of shape (M, 4).
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f'boxes must be of shape (M, 4), got {boxes.shape}')
    x1, y1, x2, y2 = boxes.T
    not_finite = ~(np.abs(boxes) <= LARGEST).all(axis=1)
    no_area = ~not_finite & ((x2 <= x1) | (y2 <= y1))
    # A box that only touches the border shares no pixel with the image.
    outside = ~not_finite & ~no_area & ((x2 <= 0) | (y2 <= 0) | (x1 >= width) | (y1 >= height))
    return {NOT_FINITE: not_finite, NO_AREA: no_area, OUTSIDE: outside}


def usable(boxes: NDArray[Any], width: float, height: float) -> NDArray[np.bool_]:
    """Tell for each box whether it can be learned from.

    A box is usable if it is finite (no coordinate beyond ``LARGEST``), has x2 > x1 and y2 > y1, and shares a positive
    area with the image.

    Args:
        boxes: (M, 4) numbers, xyxy in pixels; M may be 0.
        width: Image width in pixels.
        height: Image height in pixels.

    Returns:
        (M,) bool, True where the box is usable.

    Raises:
        ValueError: ``boxes`` is not of shape (M, 4).
    """
    invalid = invalid_boxes(boxes, width, height)
    return ~(invalid[NOT_FINITE] | invalid[NO_AREA] | invalid[OUTSIDE])


@TRANSFORMS.register_module()
class SSDFilterBoxes(BaseTransform):
    """Drop unusable boxes with their labels and flags, and decide on ignored objects; after ``LoadAnnotations``.

    A box of no width, of no height, outside the image or with a coordinate that is not finite turns the loss into NaN.

    mmdet flags two kinds of objects as ignored that the authors treat differently. VOC's difficult objects are
    ordinary objects in training: set ``use_difficult_gt``. COCO's crowds steer the crops but are matched with nothing:
    leave it unset; their flag then stays through the augmentation, and ``PackDetInputs`` sets them apart.

    Required keys: img_shape, gt_bboxes, gt_bboxes_labels, gt_ignore_flags. Modified keys: the last three.

    Args:
        use_difficult_gt: Train on objects flagged as ignored (VOC: difficult) as on any other.

    Source: weiliu89/caffe: examples/ssd/ssd_pascal.py (use_difficult_gt) and src/caffe/util/bbox_util.cpp.
    """

    def __init__(self, use_difficult_gt: bool = False) -> None:
        self.use_difficult_gt = use_difficult_gt

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Filter the objects of ``results``.

        Args:
            results: mmdet's result dict.

        Returns:
            The same dict.
        """
        height, width = results['img_shape']
        boxes = get_boxes(results)
        keep = usable(boxes, width, height)
        if not keep.all():
            set_boxes(results, boxes[keep])
            keep_labels(results, keep)
        if self.use_difficult_gt:
            results['gt_ignore_flags'] = np.zeros_like(results['gt_ignore_flags'])
        return results
