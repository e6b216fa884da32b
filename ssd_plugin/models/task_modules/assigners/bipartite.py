"""Greedy bipartite matching without a step that waits for the device."""

import torch
from torch import Tensor

from ssd_plugin.models.task_modules.samplers.ranking import top_indices

# Boxes of an object known at a time on a CPU. Few objects are refused once, very few so often.
LIST = 16
# Overlaps looked at in one go to make such lists.
CHUNK = 1 << 17


def bipartite_match(overlaps: Tensor, floor: float) -> Tensor:
    """Take out the best pair of object and box, again and again.

    Written as proposals: every object proposes to the best box that would take it, and a box keeps its best proposal.
    Both sides rank pairs by the same order (larger overlap, lower box, lower object), so the one stable outcome is the
    greedy one. A box's best proposal only ever improves, so that who is refused is refused for good. Round k settles
    the k-th greedy pair at the latest: the boxes its object prefers are then held by better pairs, which refuse it. So
    there are as many rounds as objects at most.

    On a GPU every object's list of boxes is made beforehand, as long as it can get, and all rounds are run. On a CPU,
    where reading a value is free, lists are made for those refused, and the first round that changes nothing is the
    last: the time then grows with objects times boxes.

    Args:
        overlaps: (B, M, N) float IoU; padded objects hold nothing above the floor.
        floor: Only pairs with a larger overlap are made; not negative.

    Returns:
        (B, N) int64, index of the object that holds the box, or -1.

    Source: spec section 3, bipartite stage; ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (MatchBBox).
    """
    on_cpu = overlaps.device.type == 'cpu'
    held = (_with_short_lists if on_cpu else _with_whole_lists)(overlaps, floor)
    return torch.where(held > 0, overlaps.shape[1] - (held & 0xFFFFFFFF), -1)


def _with_whole_lists(overlaps: Tensor, floor: float) -> Tensor:
    """Key of the pair that holds each box, (B, N) int64, or 0; nothing waits for the device."""
    batch, objects, boxes = overlaps.shape
    choice = top_indices(overlaps, min(objects, boxes))  # (B, M, K)
    keys = _keys(overlaps.gather(2, choice), _ranks(overlaps)[:, None], floor)  # (B, M, K)
    held = torch.zeros((batch, boxes + 1), dtype=torch.int64, device=overlaps.device)
    for _ in range(objects):
        box, key, _ = _proposals(held, choice, keys)
        held.scatter_reduce_(1, box, key, 'amax')
    return held[:, :boxes]


def _with_short_lists(overlaps: Tensor, floor: float) -> Tensor:
    """The same in fewer steps, as many as the numbers ask for."""
    batch, objects, boxes = overlaps.shape
    ranks = _ranks(overlaps)
    width, step = min(LIST, boxes), max(1, CHUNK // boxes)
    best, first = overlaps.max(2)  # (B, M); the first box of equal ones
    choice = first.new_zeros((batch, objects, width))
    keys = first.new_zeros((batch, objects, width))
    choice[..., 0], keys[..., 0] = first, _keys(best, ranks, floor)
    # Objects that boxes beyond their list might take.
    more = keys[..., 0] > 0
    held = first.new_zeros((batch, boxes + 1))
    while True:
        box, key, alone = _proposals(held, choice, keys)
        refused_by_all = (alone & more).nonzero()
        if not len(refused_by_all):
            held.scatter_reduce_(1, box, key, 'amax')
            if torch.equal(held.gather(1, box), key):
                return held[:, :boxes]
            continue
        # Few at a time: what a step leaves for the next one then stays in the CPU's cache.
        for image, thing in (some.unbind(1) for some in torch.split(refused_by_all, step)):
            values = overlaps[image, thing]  # (R, N)
            refused = _keys(values, ranks[thing, None], floor) <= held[image, :boxes]
            listed = top_indices(values.masked_fill_(refused, 0), width)
            choice[image, thing] = listed
            keys[image, thing] = found = _keys(values.gather(1, listed), ranks[thing, None], floor)
            more[image, thing] = found[:, -1] > 0


def _ranks(overlaps: Tensor) -> Tensor:
    """(M,) int64, positive, the higher the lower the object."""
    return torch.arange(overlaps.shape[1], 0, -1, device=overlaps.device)


def _keys(values: Tensor, ranks: Tensor, floor: float) -> Tensor:
    """Numbers that order pairs: larger overlap first, then the lower object; 0 for pairs that are not to be made."""
    # Bits of a non-negative float sort as the float does.
    keys = (values.clamp(min=0).view(torch.int32).long() << 32) | ranks
    return keys.masked_fill_(values <= floor, 0)


def _proposals(held: Tensor, choice: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What every object proposes next.

    Args:
        held: (B, N + 1), key of the pair that holds each box, or 0; the last is nobody's.
        choice: (B, M, K), boxes in the order in which each object prefers them.
        keys: (B, M, K), keys of these pairs; 0: no pair.

    Returns:
        (B, M) box and key of the proposal, and whether no box listed would take the object; it then proposes 0 to the
        last box.
    """
    takers = held[:, None].expand(-1, choice.shape[1], -1).gather(2, choice)  # (B, M, K)
    willing = (keys >= takers) & (keys > 0)
    first = willing.to(torch.uint8).argmax(2, keepdim=True)
    alone = ~willing.any(2)
    box = choice.gather(2, first)[..., 0].masked_fill(alone, held.shape[1] - 1)
    return box, keys.gather(2, first)[..., 0].masked_fill(alone, 0), alone
