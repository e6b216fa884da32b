"""Generators of priors, SSD's default boxes."""

from .ssd_anchor_generator import SSDAnchorGenerator

__all__ = ['SSDAnchorGenerator']
