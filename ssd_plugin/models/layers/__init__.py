"""Layers."""

from .single_value_norm import normalize_single_values

__all__ = ['normalize_single_values']
