"""SSD's augmentation."""

from .augment import SSDAugment
from .filtering import SSDFilterBoxes
from .geometric import SSDBatchSampleCrop, SSDExpand, SSDResize
from .photometric import SSDPhotometricDistort

__all__ = [
    'SSDAugment',
    'SSDBatchSampleCrop',
    'SSDExpand',
    'SSDFilterBoxes',
    'SSDPhotometricDistort',
    'SSDResize',
]
