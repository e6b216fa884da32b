"""The annotated objects in a result dict, and how the geometric steps move their boxes.

Boxes are float32 in and out, so that every step rounds the same way.
"""

from typing import Any

import numpy as np
from mmdet.structures.bbox import HorizontalBoxes
from numpy.typing import NDArray

from .augment_params import Crop

Boxes = NDArray[np.float32]

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


def shift(boxes: Boxes, left: int, top: int) -> Boxes:
    """Move boxes with the image they lie on.

    Args:
        boxes: (M, 4) float32, xyxy in pixels.
        left: Pixels to the right.
        top: Pixels downwards.

    Returns:
        (M, 4) float32.
    """
    return boxes + np.array((left, top, left, top), dtype=np.float32)


def project_to_crop(boxes: Boxes, crop: Crop, width: int, height: int) -> tuple[Boxes, NDArray[np.bool_]]:
    """Keep the boxes whose centre lies in the crop, clip them to it and move them into its pixels.

    The centre may lie on the crop's border. The coordinates follow the crop as drawn, before its corners are
    truncated to whole pixels, and are then spread over the pixels that are cut.

    Args:
        boxes: (M, 4) float32, xyxy in pixels of the image that is cropped.
        crop: The crop.
        width: Width of that image in pixels.
        height: Its height in pixels.

    Returns:
        The kept boxes, (K, 4) float32, xyxy in pixels of the crop, each of positive area; and the (M,) bool mask of
        the boxes kept.

    Source: weiliu89/caffe: src/caffe/util/bbox_util.cpp (MeetEmitConstraint with CENTER, ProjectBBox).
    """
    # The first two columns are a corner each; the same arithmetic then serves both axes.
    corners = boxes.astype(np.float64).reshape(-1, 2, 2) / (width, height)
    low, high = np.array((crop.x1, crop.y1)), np.array((crop.x2, crop.y2))
    centres = corners.mean(axis=1)
    inside = ((centres >= low) & (centres <= high)).all(axis=1)
    pixels = crop.pixels(width, height)
    spread = np.array((pixels.width, pixels.height)) / (high - low)
    projected = ((np.minimum(np.maximum(corners, low), high) - low) * spread).astype(np.float32)
    np.minimum(projected, np.array((pixels.width, pixels.height), dtype=np.float32), out=projected)
    keep = inside & (projected[:, 1] > projected[:, 0]).all(axis=1)
    return projected[keep].reshape(-1, 4), keep


def rescale(boxes: Boxes, scale_factor: tuple[float, float], width: int, height: int) -> Boxes:
    """Resize boxes with their image and clip them to it, as mmdet's ``Resize`` does.

    Args:
        boxes: (M, 4) float32, xyxy in pixels before resizing.
        scale_factor: Horizontal and vertical factor.
        width: Width after resizing in pixels.
        height: Height after resizing in pixels.

    Returns:
        (M, 4) float32.
    """
    scaled = boxes * np.array(scale_factor * 2, dtype=np.float32)
    limit = np.array((width, height, width, height), dtype=np.float32)
    clipped: Any = np.minimum(np.maximum(scaled, 0), limit)
    return clipped


def mirror(boxes: Boxes, width: int) -> Boxes:
    """Mirror boxes left to right with their image, as mmdet's ``RandomFlip`` does.

    Args:
        boxes: (M, 4) float32, xyxy in pixels.
        width: Image width in pixels.

    Returns:
        (M, 4) float32.
    """
    mirrored = boxes.copy()
    mirrored[:, 0] = width - boxes[:, 2]
    mirrored[:, 2] = width - boxes[:, 0]
    return mirrored
