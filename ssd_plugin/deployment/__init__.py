"""Detectors as files of other runtimes: how they are written, proved and run."""

from .exported_detector import ExportedDetector

__all__ = ['ExportedDetector']
