"""Greedy non-maximum suppression over images and classes together."""

from typing import Tuple

import torch
from torch import Tensor

from .candidates import Candidates

# Candidates of one image that are compared in one go. The survivors of the best so many nearly always fill the quota of
# an image, and what lies below the quota need not be looked at.
WINDOW = 512


def suppress(boxes: Tensor, candidates: Candidates, iou_threshold: float, max_per_img: int, images: int) -> Tensor:
    """The best boxes of every image that do not overlap a better one of their class.

    A box is dropped if its IoU with a kept box of the same image and class is greater than the threshold; this is exact
    greedy suppression. As only ``max_per_img`` boxes of an image are wanted, candidates are taken in windows of falling
    score and an image ends as soon as it is full.

    Args:
        boxes: (K, 4) xyxy of the candidates.
        candidates: K candidates, ordered by image, then by falling score.
        iou_threshold: See above.
        max_per_img: Boxes wanted per image; not positive = all.
        images: Number of images of the batch.

    Returns:
        (D,) int64, positions in the candidates, ordered by image, then by falling score.

    Source: spec section 7; ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (ApplyNMSFast).
    """
    sizes = torch.bincount(candidates.image, minlength=images)
    most = int(sizes.max())
    quota = max_per_img if max_per_img > 0 else len(boxes)
    position = torch.arange(len(boxes), device=boxes.device) - (sizes.cumsum(0) - sizes)[candidates.image]
    # Boxes that can suppress each other have the same number.
    group = candidates.image * (int(candidates.label.max()) + 1 if most else 1) + candidates.label
    kept = position[:0]
    missing = torch.full_like(sizes, quota)
    for begin in range(0, most, WINDOW):
        window = (position >= begin) & (position < begin + WINDOW) & (missing > 0)[candidates.image]
        # The kept ones first: they are the better ones.
        rows = torch.cat([kept, window.nonzero()[:, 0]])
        if len(rows) == len(kept):
            break
        rows = rows[group[rows].argsort(stable=True)]
        kept = rows[_greedy(boxes[rows], group[rows], iou_threshold)].sort().values
        missing = quota - torch.bincount(candidates.image[kept], minlength=images)
    counts = quota - missing
    if int(missing.min()) >= 0:
        return kept
    rank = torch.arange(len(kept), device=boxes.device) - (counts.cumsum(0) - counts)[candidates.image[kept]]
    return kept[rank < quota]


def _greedy(boxes: Tensor, group: Tensor, iou_threshold: float) -> Tensor:
    """Greedy suppression inside groups that lie one after the other, each by falling score; (K,) bool."""
    better, worse = _pairs(group)
    overlapping = (_overlap(boxes, better, worse) > iou_threshold).nonzero()[:, 0]
    better, worse = better[overlapping], worse[overlapping]
    alive = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    # A box lives if none of its living betters overlaps it. Each round settles at least the next box of every chain of
    # overlaps, and what no longer changes is the greedy result.
    while True:
        settled = torch.ones_like(alive)
        settled[worse[alive[better]]] = False
        if torch.equal(settled, alive):
            return alive
        alive = settled


def _pairs(group: Tensor) -> Tuple[Tensor, Tensor]:
    """All (earlier, later) positions of the same group."""
    position = torch.arange(len(group), device=group.device)
    sizes = torch.unique_consecutive(group, return_counts=True)[1]
    followers = sizes.cumsum(0).repeat_interleave(sizes) - position - 1
    earlier = position.repeat_interleave(followers)
    # The k-th pair of a position leads k + 1 places on.
    shift = position + 1 - (followers.cumsum(0) - followers)
    return earlier, torch.arange(len(earlier), device=group.device) + shift[earlier]


def _overlap(boxes: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """IoU of pairs of boxes, given by position; 0 where both are empty."""
    x1, y1, x2, y2 = boxes.t()
    # Rows side by side in memory: these steps are most of the suppression's work.
    table = torch.stack([x1, y1, x2, y2, (x2 - x1) * (y2 - y1)])  # (5, K)
    ax1, ay1, ax2, ay2, a_area = table.index_select(1, left)
    bx1, by1, bx2, by2, b_area = table.index_select(1, right)
    width = torch.minimum(ax2, bx2).sub_(torch.maximum(ax1, bx1)).clamp_(min=0)
    height = torch.minimum(ay2, by2).sub_(torch.maximum(ay1, by1)).clamp_(min=0)
    shared = width.mul_(height)
    return shared / (a_area + b_area).sub_(shared).clamp_(min=torch.finfo(boxes.dtype).tiny)
