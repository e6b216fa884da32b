"""Default boxes, matching, box coding and mining."""

from .assigners import SSDAssigner
from .coders import DeltaBoxCoder
from .prior_generators import SSDAnchorGenerator
from .samplers import HardNegativeSampler

__all__ = ['DeltaBoxCoder', 'HardNegativeSampler', 'SSDAnchorGenerator', 'SSDAssigner']
