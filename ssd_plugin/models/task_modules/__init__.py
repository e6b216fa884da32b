"""Default boxes, matching, box coding and mining."""

from .anchor_generator import SSDAnchorGenerator
from .assigner import SSDAssigner
from .delta_box_coder import DeltaBoxCoder
from .hard_negative_sampler import HardNegativeSampler

__all__ = ['DeltaBoxCoder', 'HardNegativeSampler', 'SSDAnchorGenerator', 'SSDAssigner']
