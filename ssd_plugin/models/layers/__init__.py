"""Layers."""

from .l2_norm import L2Norm

__all__ = ['L2Norm']
