"""Matching of priors to objects."""

from .ssd_assigner import SSDAssigner

__all__ = ['SSDAssigner']
