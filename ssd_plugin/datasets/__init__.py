"""The data path: what SSD needs between mmdet's data sets and its loader."""

from . import transforms
from .ilsvrc import ILSVRCDetDataset
from .voc_unannotated import VOCTestDataset

__all__ = ['ILSVRCDetDataset', 'VOCTestDataset', 'transforms']
