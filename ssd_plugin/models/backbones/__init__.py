"""Backbones."""

from .mobilenetv3 import MobileNetV3
from .ssd_vgg import SSDVGG
from .timm_backbone import TimmBackbone

__all__ = ['SSDVGG', 'MobileNetV3', 'TimmBackbone']
