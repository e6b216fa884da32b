"""The network, its targets and losses."""

from .losses import MultiBoxLoss
from .ssd import SSD
from .ssd_head import SSDHead
from .ssd_neck import SSDNeck
from .ssd_vgg import SSDVGG
from .task_modules import DeltaBoxCoder, HardNegativeSampler, SSDAnchorGenerator, SSDAssigner

__all__ = [
    'SSD',
    'SSDVGG',
    'DeltaBoxCoder',
    'HardNegativeSampler',
    'MultiBoxLoss',
    'SSDAnchorGenerator',
    'SSDAssigner',
    'SSDHead',
    'SSDNeck',
]
