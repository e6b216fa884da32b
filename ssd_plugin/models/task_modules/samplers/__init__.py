"""Mining."""

from .hard_negative_sampler import HardNegativeSampler

__all__ = ['HardNegativeSampler']
