"""Greedy bipartite matching without a step that waits for the device."""

import torch
from torch import Tensor

from .ranking import top_indices


def bipartite_match(overlaps: Tensor, floor: float) -> Tensor:
    """Take out the best pair of object and box, again and again.

    Written as proposals: every object proposes to the best box that would take it, and a box keeps its best proposal.
    Both sides rank pairs by the same order (larger overlap, lower box, lower object), so the one stable outcome is the
    greedy one. A box's best proposal only ever improves, so one table serves all rounds. Round k settles the k-th
    greedy pair at the latest: the boxes its object prefers are then held by better pairs, which refuse it. So there are
    as many rounds as objects at most.

    Args:
        overlaps: (B, M, N) float IoU; padded objects hold nothing above the floor.
        floor: Only pairs with a larger overlap are made.

    Returns:
        (B, N) int64, index of the object that holds the box, or -1.

    Source: spec section 3, bipartite stage; ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (MatchBBox).
    """
    batch, objects, boxes = overlaps.shape
    on_cpu = overlaps.device.type == 'cpu'
    best, choice = overlaps.max(2, keepdim=True)  # (B, M, 1); the first box of equal ones
    # Reading a value is free on the CPU only: there, no two objects wanting one box is told at once and ends it.
    if not (on_cpu and _all_distinct(choice[..., 0], best[..., 0] > floor)):
        choice = top_indices(overlaps, min(objects, boxes))  # (B, M, K)
        best = overlaps.gather(2, choice)
    index = torch.arange(objects, device=overlaps.device)
    # Larger overlap first, then the lower object: bits of a non-negative float sort as the float does.
    keys = (best.clamp(min=0).view(torch.int32).long() << 32) | (objects - index)[None, :, None]  # (B, M, K)
    held = torch.zeros((batch, boxes + 1), dtype=torch.int64, device=overlaps.device)
    for _ in range(objects):
        takers = held[:, None].expand(-1, objects, -1).gather(2, choice)  # (B, M, K)
        willing = (keys >= takers) & (best > floor)
        first = willing.to(torch.uint8).argmax(2, keepdim=True)
        # Objects that no box would take propose nothing to a spare column.
        alone = ~willing.any(2)
        box = choice.gather(2, first)[..., 0].masked_fill(alone, boxes)
        key = keys.gather(2, first)[..., 0].masked_fill(alone, 0)
        held.scatter_reduce_(1, box, key, 'amax')
        if on_cpu and torch.equal(held.gather(1, box), key):
            break
    held = held[:, :boxes]
    holder = objects - (held & 0xFFFFFFFF)
    return torch.where(held > 0, holder, -1)


def _all_distinct(choice: Tensor, wanted: Tensor) -> bool:
    count = choice.shape[1]
    # Objects that want nothing get numbers of their own.
    own = -1 - torch.arange(count, device=choice.device)
    ordered = torch.where(wanted, choice, own).sort(1).values
    return not bool((ordered[:, 1:] == ordered[:, :-1]).any())
