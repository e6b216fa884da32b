"""Backbones."""

from .ssd_vgg import SSDVGG
from .timm_backbone import TimmBackbone

__all__ = ['SSDVGG', 'TimmBackbone']
