"""What becomes of detections beside mmdet's metrics."""

from .voc_submission import VOCSubmission

__all__ = ['VOCSubmission']
