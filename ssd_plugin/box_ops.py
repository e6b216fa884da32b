"""Overlap and suppression of boxes, shared by the model and by the stand-in for mmcv's compiled ops."""

import torch
from torch import Tensor

# Pairs of boxes compared at a time: few at first, as the best boxes drop most of the others before these are compared,
# then twice as many each time, up to what bounds the memory.
MIN_PAIRS, MAX_PAIRS = 1 << 14, 1 << 18
# Boxes with an IoU above 0.7 count in the vote.
VOTING_SIGMA = 0.025


def box_iou(boxes1: Tensor, boxes2: Tensor, mode: str = 'iou') -> Tensor:
    """Compute overlaps without the legacy +1 pixel; the leading dimensions broadcast.

    Args:
        boxes1: (..., 4) float, xyxy.
        boxes2: (..., 4) float, xyxy.
        mode: 'iou', or 'iof' for the intersection over the area of ``boxes1``.

    Returns:
        (...) float; 0 where both boxes have no area.
    """
    # Coordinates side by side in memory are several times faster to read.
    left1, top1, right1, bottom1 = boxes1.movedim(-1, 0).contiguous()
    left2, top2, right2, bottom2 = boxes2.movedim(-1, 0).contiguous()
    width = torch.minimum(right1, right2).sub_(torch.maximum(left1, left2)).clamp_(min=0)
    height = torch.minimum(bottom1, bottom2).sub_(torch.maximum(top1, top2)).clamp_(min=0)
    intersection = width.mul_(height)
    area1, area2 = (right1 - left1) * (bottom1 - top1), (right2 - left2) * (bottom2 - top2)
    whole = area1.clone() if mode == 'iof' else (area1 + area2).sub_(intersection)
    return intersection.div_(whole.clamp_(min=torch.finfo(whole.dtype).tiny))


def rank_in_group(scores: Tensor, groups: Tensor) -> Tensor:
    """Rank scores (K,) inside their groups (K,) int64, not negative: 0 is the best; equal scores go by index."""
    order = scores.argsort(descending=True, stable=True)
    order = order[groups[order].argsort(stable=True)]
    counts = torch.bincount(groups)
    starts = counts.cumsum(0) - counts
    ranks = torch.empty_like(groups)
    ranks[order] = torch.arange(len(groups), device=groups.device) - starts[groups[order]]
    return ranks


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """Suppress greedily inside every group: drop a box whose IoU with a kept better box of its group is greater.

    Exact for any sizes of boxes: groups are kept apart by their number and not by moving boxes. The best boxes of all
    groups are settled together, then the next ones, :data:`MIN_PAIRS` to :data:`MAX_PAIRS` comparisons at a time.

    Args:
        boxes: (K, 4) float, xyxy.
        scores: (K,) float; of equal ones the lower index is the better.
        idxs: (K,) int64, not negative; the group of each box.
        iou_threshold: See above.

    Returns:
        (D,) int64, the kept boxes by falling score.

    Source: ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (ApplyNMSFast).
    """
    rows = scores.argsort(descending=True, stable=True)
    rows = rows[idxs[rows].argsort(stable=True)]  # (K,) by group, then by falling score
    kept = [rows[:0]]
    pairs = MIN_PAIRS
    while len(rows):
        counts = torch.unique_consecutive(idxs[rows], return_counts=True)[1]
        ends = counts.cumsum(0)
        place = torch.arange(len(rows), device=rows.device)
        settled_now = place - (ends - counts).repeat_interleave(counts) < max(1, pairs // len(rows))
        pairs = min(2 * pairs, MAX_PAIRS)
        # Each box that is settled now against every worse box of its group.
        worse = (ends.repeat_interleave(counts) - place - 1) * settled_now
        better = place.repeat_interleave(worse)  # (P,)
        behind = torch.arange(len(better), device=rows.device) - (worse.cumsum(0) - worse)[better]
        later = better + 1 + behind
        sorted_boxes = boxes[rows]
        overlap = box_iou(sorted_boxes[better], sorted_boxes[later]) > iou_threshold
        better, later = better[overlap], later[overlap]
        alive = torch.ones(len(rows), device=boxes.device)
        # A box lives if no living better one overlaps it. What no longer changes is the greedy result.
        while True:
            rivals = torch.zeros_like(alive).index_add_(0, later, alive[better])
            if torch.equal((rivals == 0).float(), alive):
                break
            alive = (rivals == 0).float()
        kept.append(rows[settled_now & (alive > 0)])
        rows = rows[~settled_now & (alive > 0)]
    found = torch.cat(kept).sort().values
    return found[scores[found].argsort(descending=True, stable=True)]


def score_voting(boxes: Tensor, scores: Tensor, idxs: Tensor, kept: Tensor) -> Tensor:
    """Replace every kept box by the mean of its group's boxes, weighted by ``score * exp(-(1 - IoU)^2 / sigma)``.

    Args:
        boxes: (K, 4) float, xyxy.
        scores: (K,) float, above 0.
        idxs: (K,) int64, the group of each box.
        kept: (D,) int64, which boxes are wanted.

    Returns:
        (D, 4) float.

    Source: arXiv 2007.08103, section 3.3; mmdet's PAAHead.
    """
    voted = boxes[kept]
    for group in torch.unique(idxs[kept]):
        rows, voters = (idxs[kept] == group).nonzero()[:, 0], (idxs == group).nonzero()[:, 0]
        distance = 1 - box_iou(voted[rows, None], boxes[voters])  # (R, V)
        weights = scores[voters] * torch.exp(-(distance**2) / VOTING_SIGMA)
        voted[rows] = weights @ boxes[voters] / weights.sum(1, keepdim=True)
    return voted
