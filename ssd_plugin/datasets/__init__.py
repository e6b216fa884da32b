"""The data path: what SSD needs between mmdet's data sets and its loader."""

from . import transforms

__all__ = ['transforms']
