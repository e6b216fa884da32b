"""Detectors."""

from .distilled_ssd import DistilledSSD
from .ssd import SSD

__all__ = ['SSD', 'DistilledSSD']
