"""Box coding."""

from .delta_box_coder import DeltaBoxCoder

__all__ = ['DeltaBoxCoder']
