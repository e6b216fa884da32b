"""Metrics beside mmdet's, and what becomes of detections there."""

from .voc07_metric import VOC07Metric
from .voc_submission import VOCSubmission

__all__ = ['VOC07Metric', 'VOCSubmission']
