"""One order for everything that is ranked: the larger value first, of equal values the lower index."""

import torch
from torch import Tensor


def top_indices(values: Tensor, count: int) -> Tensor:
    """Where the largest values of each row are; ``topk`` alone leaves open which of equal values it takes.

    Args:
        values: (..., N) float32, not NaN.
        count: At most N.

    Returns:
        (..., count) int64, the best one first.
    """
    size = values.shape[-1]
    # The bits of floats sort as the floats do once those of negative ones are turned round; adding 0 makes -0 equal 0.
    bits = (values + 0.0).view(torch.int32)
    bits = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    lower_first = torch.arange(size, 0, -1, device=values.device)
    keys = (bits.long() << 32) | lower_first
    return size - (keys.topk(count, dim=-1).values & 0xFFFFFFFF)
