"""Matching of priors with gt boxes."""

from .batch_assigner import BACKGROUND, IGNORED, BatchAssigner
from .batch_gt_instances import BatchGTInstances, get_img_sizes, pad_gt_instances
from .mmdet_assigner import MMDetAssigner
from .ssd_assigner import SSDAssigner

__all__ = [
    'BACKGROUND',
    'IGNORED',
    'BatchAssigner',
    'BatchGTInstances',
    'MMDetAssigner',
    'SSDAssigner',
    'get_img_sizes',
    'pad_gt_instances',
]
