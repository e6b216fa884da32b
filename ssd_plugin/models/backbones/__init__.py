"""Backbones."""

from .ssd_vgg import SSDVGG

__all__ = ['SSDVGG']
