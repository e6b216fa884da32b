"""Which (box, class) pairs of a batch go into suppression."""

import math
from typing import NamedTuple, Tuple

import torch
from torch import Tensor

from .levels import LevelLogits

# Wider than what rounding makes of a probability. Only bounds are moved by it, never a score.
SLACK = 1e-4


class Candidates(NamedTuple):
    """Pairs of a default box and a class, ordered by image, then by falling score.

    Attributes:
        image: (K,) int64.
        prior: (K,) int64, index of the default box.
        label: (K,) int64, 0..C-1.
        score: (K,) float32.
    """

    image: Tensor
    prior: Tensor
    label: Tensor
    score: Tensor

    def pick(self, index: Tensor) -> 'Candidates':
        """The candidates at some positions."""
        return Candidates(*(values[index] for values in self))


def best_candidates(logits: LevelLogits, score_thr: float, pairs_per_img: int) -> Tuple[Candidates, Tensor]:
    """Pairs above a score; of an image that has very many, the best.

    Args:
        logits: Of B images and N default boxes.
        score_thr: Pairs must score more.
        pairs_per_img: Give at most so many pairs of an image. Not positive: all.

    Returns:
        The pairs, and for every image whether these are all of its pairs, (B,) bool. Where not, each pair left out
        ranks behind those given.
    """
    # No class scores more than the exponential of its lead over the background, which needs no softmax.
    lead = logits.reduce(_lead)  # (B, N)
    chosen = lead >= (math.log(score_thr) - SLACK if score_thr > 0 else -math.inf)
    batch, total = chosen.shape
    floor = lead.new_full((batch,), score_thr)
    # So many boxes whose best pair reaches a score make at least as many pairs; the rest of the boxes can be left.
    most = 2 * pairs_per_img
    crowded = chosen.sum(1) > (most if 0 < most < total else total)
    if crowded.any():
        best = logits.reduce(_best_log_score)
        cut = best.topk(most, 1).values[:, -1].masked_fill(~crowded, -math.inf)
        chosen &= best >= cut[:, None] - 2 * SLACK
        floor = floor.maximum((cut - SLACK).exp())
    rows, picked = logits.pick(chosen.flatten().nonzero()[:, 0])
    scores = picked.softmax(1)[:, :-1]
    row_image = rows // total
    row, label = (scores > floor[row_image, None]).nonzero(as_tuple=True)
    image, score = row_image[row], scores[row, label]
    # By image, then by falling score: the bits of positive floats sort as the floats do.
    order = ((image << 32) - score.view(torch.int32)).argsort(stable=True)
    complete = ~crowded
    if pairs_per_img > 0:
        counts = torch.bincount(image, minlength=batch)
        complete &= counts <= pairs_per_img
        # The first so many of each image's stretch of the order.
        taken = counts.clamp(max=pairs_per_img)
        skipped = (counts.cumsum(0) - counts) - (taken.cumsum(0) - taken)
        order = order[torch.arange(int(taken.sum()), device=order.device) + skipped.repeat_interleave(taken)]
    return Candidates(image[order], rows[row[order]] % total, label[order], score[order]), complete


def best_of_groups(found: Candidates, group: Tensor, limit: int) -> Candidates:
    """The best pairs of every group.

    Args:
        found: K pairs in the order of all candidates.
        group: (K,) int64; pairs of an image with the same number are one group.
        limit: Pairs of a group; not positive = all.
    """
    sizes = torch.bincount(group, minlength=1)
    if limit <= 0 or int(sizes.max()) <= limit:
        return found
    order = group.argsort(stable=True)
    starts = sizes.cumsum(0) - sizes
    rank = torch.empty_like(group)
    rank[order] = torch.arange(len(group), device=group.device) - starts[group[order]]
    return found.pick((rank < limit).nonzero()[:, 0])


def _lead(logits: Tensor, axis: int) -> Tensor:
    return logits.narrow(axis, 0, logits.shape[axis] - 1).amax(axis) - logits.select(axis, -1)


def _best_log_score(logits: Tensor, axis: int) -> Tensor:
    return logits.log_softmax(axis).narrow(axis, 0, logits.shape[axis] - 1).amax(axis)
