"""Prediction heads and what follows them."""

from .ssd_head import SSDHead

__all__ = ['SSDHead']
