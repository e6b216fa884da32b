"""Which (box, class) pairs of a batch go into suppression."""

from typing import NamedTuple, Sequence

import torch
from torch import Tensor


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


def best_per_class(scores: Tensor, score_thr: float, limit: int) -> Candidates:
    """Pairs above a score, the best ``limit`` of every image and class; the authors' choice.

    Args:
        scores: (B, N, C) foreground probabilities.
        score_thr: Pairs must score more.
        limit: Pairs of a class in an image; not positive = all.

    Source: spec section 7, step 3.
    """
    chosen = _above(scores, score_thr)
    if limit <= 0:
        return chosen
    group = chosen.image * scores.shape[2] + chosen.label
    sizes = torch.bincount(group, minlength=1)
    if int(sizes.max()) <= limit:
        return chosen
    order = group.argsort(stable=True)
    starts = sizes.cumsum(0) - sizes
    rank = torch.empty_like(group)
    rank[order] = torch.arange(len(group), device=group.device) - starts[group[order]]
    return chosen.pick((rank < limit).nonzero()[:, 0])


def best_per_level(scores: Tensor, score_thr: float, limit: int, level_sizes: Sequence[int]) -> Candidates:
    """Pairs above a score, the best ``limit`` of every image and level; mmdet's choice.

    Args:
        scores: (B, N, C) foreground probabilities.
        score_thr: Pairs must score more.
        limit: Pairs of a level in an image; not positive = all.
        level_sizes: Number of default boxes of every level.
    """
    parts = []
    offset = 0
    for size, level in zip(level_sizes, torch.split(scores, list(level_sizes), dim=1)):
        chosen = _above(level, score_thr)
        counts = torch.bincount(chosen.image, minlength=len(scores))
        rank = torch.arange(len(chosen.image), device=scores.device) - (counts.cumsum(0) - counts)[chosen.image]
        if limit > 0:
            chosen = chosen.pick((rank < limit).nonzero()[:, 0])
        parts.append(chosen._replace(prior=chosen.prior + offset))
        offset += size
    return _ordered(Candidates(*(torch.cat(values) for values in zip(*parts))))


def _above(scores: Tensor, score_thr: float) -> Candidates:
    image, prior, label = (scores > score_thr).nonzero(as_tuple=True)
    return _ordered(Candidates(image, prior, label, scores[image, prior, label]))


def _ordered(chosen: Candidates) -> Candidates:
    by_score = chosen.pick(chosen.score.argsort(descending=True, stable=True))
    return by_score.pick(by_score.image.argsort(stable=True))
