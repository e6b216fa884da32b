"""Drop the boxes that nothing can be learned from, before any other step uses them."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from ssd_plugin.datasets.box_rules import usable
from ssd_plugin.registry import TRANSFORMS

from .gt_fields import get_boxes, keep_labels, set_boxes


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
