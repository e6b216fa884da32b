"""Greedy non-maximum suppression over images and classes together."""

from typing import Tuple

import torch
from torch import Tensor

from .candidates import Candidates

# Candidates of one image that are compared in one go. The survivors of the best so many nearly always fill the quota of
# an image, and what lies below the quota need not be looked at.
WINDOW = 1024


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
    starts = sizes.cumsum(0) - sizes
    position = torch.arange(len(boxes), device=boxes.device) - starts[candidates.image]
    quota = max_per_img if max_per_img > 0 else len(boxes)
    kept = torch.empty(0, dtype=torch.int64, device=boxes.device)
    missing = torch.full_like(sizes, quota)
    for begin in range(0, int(sizes.max()) if len(boxes) else 0, WINDOW):
        window = (position >= begin) & (position < begin + WINDOW) & (missing > 0)[candidates.image]
        fresh = window.nonzero()[:, 0]
        if not len(fresh):
            break
        rows = torch.cat([kept, fresh])
        # Groups of boxes that can suppress each other, by falling score: kept ones first, they are the better ones.
        group = candidates.image[rows] * (int(candidates.label.max()) + 1) + candidates.label[rows]
        order = group.argsort(stable=True)
        alive = _greedy(boxes[rows[order]], group[order], iou_threshold)
        kept = rows[order[alive]].sort().values
        missing = quota - torch.bincount(candidates.image[kept], minlength=images)
    counts = torch.bincount(candidates.image[kept], minlength=images)
    rank = torch.arange(len(kept), device=boxes.device) - (counts.cumsum(0) - counts)[candidates.image[kept]]
    return kept[rank < quota]


def _greedy(boxes: Tensor, group: Tensor, iou_threshold: float) -> Tensor:
    """Greedy suppression inside groups that lie one after the other, each by falling score; (K,) bool."""
    better, worse = _pairs(group)
    overlapping = _overlap(boxes[better], boxes[worse]) > iou_threshold
    better, worse = better[overlapping], worse[overlapping]
    alive = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    # A box lives if none of its living betters overlaps it. Each round settles at least the next box of every chain of
    # overlaps, and what no longer changes is the greedy result.
    while True:
        dead = torch.zeros_like(alive)
        dead[worse[alive[better]]] = True
        if torch.equal(~dead, alive):
            return alive
        alive = ~dead


def _pairs(group: Tensor) -> Tuple[Tensor, Tensor]:
    """All (earlier, later) positions of the same group."""
    count = len(group)
    position = torch.arange(count, device=group.device)
    sizes = torch.unique_consecutive(group, return_counts=True)[1]
    ends = sizes.cumsum(0).repeat_interleave(sizes)  # one past the group's last position
    followers = ends - position - 1
    first = position.repeat_interleave(followers)
    offset = torch.arange(len(first), device=group.device) - (followers.cumsum(0) - followers)[first]
    return first, first + 1 + offset


def _overlap(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes pair by pair; 0 where both are empty."""
    size = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp_(min=0)
    shared = size[:, 0] * size[:, 1]
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared
    return shared / union.clamp_(min=torch.finfo(union.dtype).tiny)
