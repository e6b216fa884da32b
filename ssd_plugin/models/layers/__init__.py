"""Layers."""

from .l2_norm import L2Norm
from .single_value_norm import normalize_single_values

__all__ = ['L2Norm', 'normalize_single_values']
