"""Raw outputs of the levels, read by prior."""

from collections.abc import Sequence

import torch
from torch import Tensor


def split_by_prior(maps: Sequence[Tensor], channels: int) -> list[Tensor]:
    """View the maps of a head as one row per prior, in the order of the priors.

    Args:
        maps: Per level (B, A * channels, h, w), box-major channels. A map in channels-last order is not copied.
        channels: Numbers per prior.

    Returns:
        Per level (B, h * w * A, channels).
    """
    return [level.permute(0, 2, 3, 1).reshape(level.shape[0], -1, channels) for level in maps]


def gather_rows(levels: Sequence[Tensor], mask: Tensor) -> Tensor:
    """Gather the rows of some priors, level by level.

    Args:
        levels: Per level (B, n, ...), N priors in all.
        mask: (B, N) bool. On a GPU, where knowing how many are set would wait for the device, every row is given.

    Returns:
        (R, ...); the same mask gives the same order for any tensors.
    """
    masks = torch.split(mask, [level.shape[1] for level in levels], 1)
    if mask.device.type != 'cpu':
        return torch.cat([level.flatten(0, 1) for level in levels])
    return torch.cat(
        [level.flatten(0, 1).index_select(0, part.flatten().nonzero()[:, 0]) for level, part in zip(levels, masks)]
    )
