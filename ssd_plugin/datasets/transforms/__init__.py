"""SSD's augmentation, as five steps or as one pass, and the loading and filtering before it."""

from .augment import SSDAugment
from .filtering import SSDFilterBoxes
from .geometric import SSDBatchSampleCrop, SSDExpand, SSDResize
from .loading import LoadImage
from .photometric import SSDPhotometricDistort

__all__ = [
    'LoadImage',
    'SSDAugment',
    'SSDBatchSampleCrop',
    'SSDExpand',
    'SSDFilterBoxes',
    'SSDPhotometricDistort',
    'SSDResize',
]
