"""The network, its targets and losses, grouped as in mmdet."""

from .backbones import SSDVGG
from .dense_heads import SSDHead
from .detectors import SSD, DistilledSSD
from .losses import MultiBoxLoss
from .mmdet_parts import Float32RoIExtractor, Float32RPNHead, MMDetSSDHead
from .necks import SSDNeck
from .task_modules import DeltaBoxCoder, HardNegativeSampler, SSDAnchorGenerator, SSDAssigner

__all__ = [
    'SSD',
    'SSDVGG',
    'DeltaBoxCoder',
    'DistilledSSD',
    'Float32RPNHead',
    'Float32RoIExtractor',
    'HardNegativeSampler',
    'MMDetSSDHead',
    'MultiBoxLoss',
    'SSDAnchorGenerator',
    'SSDAssigner',
    'SSDHead',
    'SSDNeck',
]
