"""Which (prior, class) pairs of a batch go into suppression."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Optional

import torch
from torch import Tensor

from ssd_plugin.box_ops import rank_in_group

# Wider than what rounding makes of a probability. It moves a bound, never a score.
SLACK = 1e-4


class Candidates(NamedTuple):
    """Pairs of a prior and a class.

    Attributes:
        img_inds: (K,) int64.
        prior_inds: (K,) int64, 0..N-1.
        labels: (K,) int64, 0..C-1.
        scores: (K,) float32.
    """

    img_inds: Tensor
    prior_inds: Tensor
    labels: Tensor
    scores: Tensor

    def pick(self, index: Tensor) -> 'Candidates':
        """Pick the candidates at some positions, or under a mask."""
        return Candidates(*(values[index] for values in self))


def select_candidates(logits: Sequence[Tensor], score_thr: float, use_sigmoid: bool) -> Candidates:
    """Select the pairs whose score is greater than a threshold.

    Args:
        logits: Per level (B, n, C + 1), background last, or (B, n, C) where ``use_sigmoid``; N priors in all.
        score_thr: Pairs must score more.
        use_sigmoid: Score classes one by one instead of by a softmax with the background.

    Returns:
        The pairs, by level, then image, prior and label.
    """
    threshold = score_thr if score_thr > 0 else 0
    # No score is greater than what the best logit, or its lead over the background, allows; that needs no softmax.
    odds = threshold / (1 - threshold) if use_sigmoid and threshold < 1 else threshold
    # In 16 bits both sides of the comparison are rounded alike.
    least = math.log(odds) - SLACK if odds > 0 else -math.inf
    parts = []
    start = 0
    for level in logits:
        bound = level.amax(2) if use_sigmoid else level[..., :-1].amax(2) - level[..., -1]
        img_inds, prior_inds = (bound >= least).nonzero().unbind(1)
        parts.append((img_inds, prior_inds + start, level[img_inds, prior_inds]))
        start += level.shape[1]
    img_inds, prior_inds, rows = (torch.cat(column) for column in zip(*parts))
    scores = rows.float().sigmoid() if use_sigmoid else rows.float().softmax(1)[:, :-1]
    row, labels = (scores > score_thr).nonzero().unbind(1)
    return Candidates(img_inds[row], prior_inds[row], labels, scores[row, labels])


def best_of_images(found: Candidates, limit: int) -> tuple[Candidates, Optional[Tensor]]:
    """Keep the best pairs of every image, and all that score as much as the last of them.

    Args:
        found: K pairs.
        limit: Pairs kept of an image, more where scores are equal.

    Returns:
        The pairs, and for every image whether some of it were left out, (B,) bool up to the last image with a pair;
        None if all pairs are given.
    """
    if len(found.scores) <= limit:
        return found, None
    counts = torch.bincount(found.img_inds)
    cut = found.scores.new_full(counts.shape, -1)
    for i in (counts > limit).nonzero()[:, 0]:
        cut[i] = found.scores[found.img_inds == i].topk(limit).values[-1]
    kept = found.pick((found.scores >= cut[found.img_inds]).nonzero()[:, 0])
    return kept, torch.bincount(kept.img_inds, minlength=len(counts)) < counts


def best_of_groups(found: Candidates, groups: Tensor, limit: int) -> Candidates:
    """Keep the best pairs of every group, in their order.

    Args:
        found: K pairs.
        groups: (K,) int64, not negative.
        limit: Pairs kept of a group.
    """
    return found.pick((rank_in_group(found.scores, groups) < limit).nonzero()[:, 0])
