"""Greedy non-maximum suppression over images and classes together."""

import torch
from torch import Tensor

from ssd_plugin.models.dense_heads.candidates import Candidates

# Candidates of one image that are compared in one go. The survivors of the best so many nearly always fill the quota of
# an image, and what lies below the quota need not be looked at.
WINDOW = 512


def batched_nms(boxes: Tensor, candidates: Candidates, iou_threshold: float, max_per_img: int, images: int) -> Tensor:
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
    if len(boxes) <= WINDOW:
        kept = _survivors(boxes, _group(candidates), iou_threshold)
    else:
        kept = _first_survivors(boxes, candidates, iou_threshold, max_per_img, images)
    if max_per_img <= 0 or len(kept) <= max_per_img:
        return kept
    image = candidates.image[kept]
    counts = torch.bincount(image, minlength=images)
    rank = torch.arange(len(kept), device=boxes.device) - (counts.cumsum(0) - counts)[image]
    return kept[rank < max_per_img]


def _first_survivors(
    boxes: Tensor, candidates: Candidates, iou_threshold: float, max_per_img: int, images: int
) -> Tensor:
    """Survivors of the windows looked at until every image is full, ordered; arguments as of :func:`batched_nms`."""
    sizes = torch.bincount(candidates.image, minlength=images)
    quota = max_per_img if max_per_img > 0 else len(boxes)
    position = torch.arange(len(boxes), device=boxes.device) - (sizes.cumsum(0) - sizes)[candidates.image]
    group = _group(candidates)
    kept = position[:0]
    missing = torch.full_like(sizes, quota)
    for begin in range(0, int(sizes.max()), WINDOW):
        window = (position >= begin) & (position < begin + WINDOW) & (missing > 0)[candidates.image]
        # The kept ones first: they are the better ones.
        rows = torch.cat([kept, window.nonzero()[:, 0]])
        if len(rows) == len(kept):
            break
        kept = rows[_survivors(boxes[rows], group[rows], iou_threshold)].sort().values
        missing = quota - torch.bincount(candidates.image[kept], minlength=images)
    return kept


def _group(candidates: Candidates) -> Tensor:
    """(K,) int64; boxes that can suppress each other have the same number."""
    if not len(candidates.label):
        return candidates.label
    return candidates.image * (int(candidates.label.max()) + 1) + candidates.label


def _survivors(boxes: Tensor, group: Tensor, iou_threshold: float) -> Tensor:
    """Greedy suppression inside groups; positions of what is left, ascending.

    Args:
        boxes: (K, 4) xyxy, the better one of any two of the same group first.
        group: (K,) int64, not negative.
        iou_threshold: See :func:`batched_nms`.
    """
    better, worse = _pairs(group)
    overlapping = (_overlap(boxes, better, worse) > iou_threshold).nonzero()[:, 0]
    better, worse = better.index_select(0, overlapping), worse.index_select(0, overlapping)
    alive = torch.ones(len(boxes), device=boxes.device)
    # A box lives if none of its living betters overlaps it. Each round settles at least the next box of every chain of
    # overlaps, and what no longer changes is the greedy result.
    while True:
        rivals = torch.zeros_like(alive).index_add_(0, worse, alive.index_select(0, better))
        settled = (rivals == 0).float()
        if torch.equal(settled, alive):
            return alive.nonzero()[:, 0]
        alive = settled


def _pairs(group: Tensor) -> tuple[Tensor, Tensor]:
    """All (earlier, later) positions of the same group."""
    order = group.argsort(stable=True)
    place = torch.arange(len(group), device=group.device)
    # How many of its group come after the box that is at a place of the order.
    ends = torch.bincount(group).cumsum(0)
    followers = ends.index_select(0, group.index_select(0, order)) - place - 1
    earlier = torch.repeat_interleave(followers)
    # The k-th pair of a place leads k + 1 places on.
    shift = place + 1 - (followers.cumsum(0) - followers)
    later = shift.index_select(0, earlier) + torch.arange(len(earlier), device=group.device)
    return order.index_select(0, earlier), order.index_select(0, later)


def _overlap(boxes: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """IoU of pairs of boxes, given by position; 0 where both are empty."""
    size = boxes[:, 2:] - boxes[:, :2]
    # Columns side by side in memory: these steps are most of the suppression's work.
    table = torch.cat([boxes.t(), (size[:, 0] * size[:, 1])[None]])  # (5, K)
    ax1, ay1, ax2, ay2, a_area = table.index_select(1, left)
    bx1, by1, bx2, by2, b_area = table.index_select(1, right)
    width = torch.minimum(ax2, bx2).sub_(torch.maximum(ax1, bx1)).clamp_(min=0)
    height = torch.minimum(ay2, by2).sub_(torch.maximum(ay1, by1)).clamp_(min=0)
    shared = width.mul_(height)
    return shared / (a_area + b_area).sub_(shared).clamp_(min=torch.finfo(boxes.dtype).tiny)
