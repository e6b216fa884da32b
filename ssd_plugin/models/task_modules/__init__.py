"""Default boxes, matching and mining."""

from .anchor_generator import SSDAnchorGenerator
from .assigner import SSDAssigner
from .hard_negative_sampler import HardNegativeSampler

__all__ = ['HardNegativeSampler', 'SSDAnchorGenerator', 'SSDAssigner']
