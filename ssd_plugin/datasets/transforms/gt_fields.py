"""The annotated objects in a result dict: boxes, labels and ignore flags that must stay aligned."""

from typing import Any

import numpy as np
from mmdet.structures.bbox import HorizontalBoxes
from numpy.typing import NDArray

PER_OBJECT_KEYS = ('gt_bboxes_labels', 'gt_ignore_flags')


def get_boxes(results: dict[str, Any]) -> NDArray[np.float32]:
    """Get the boxes of a result dict without copying them.

    Args:
        results: mmdet's result dict with ``gt_bboxes`` of type ``HorizontalBoxes``, float32.

    Returns:
        (M, 4) float32, xyxy in pixels; shares memory with the dict's.
    """
    return results['gt_bboxes'].tensor.numpy()


def set_boxes(results: dict[str, Any], boxes: NDArray[np.float32]) -> None:
    """Put boxes into a result dict.

    Args:
        results: mmdet's result dict.
        boxes: (M, 4) float32, xyxy in pixels; not copied.
    """
    results['gt_bboxes'] = HorizontalBoxes(boxes, clone=False)


def keep_labels(results: dict[str, Any], keep: NDArray[np.bool_]) -> None:
    """Drop the labels and ignore flags of objects whose boxes are dropped.

    Args:
        results: mmdet's result dict.
        keep: (M,) bool, True for the objects that stay.
    """
    for key in PER_OBJECT_KEYS:
        if key in results:
            results[key] = results[key][keep]
