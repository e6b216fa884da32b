"""What the training loop needs: mixed precision, hooks, safe checkpoints.

Importing it makes MMEngine load every checkpoint safely, in the whole process: see ``checkpoint_safety.install``.
"""

from . import checkpoint_safety
from .annotation_hook import AnnotationReportHook
from .autocast import AutocastOptimWrapper
from .batch_size_hook import BatchSizeHook
from .loader_meter_hook import LoaderMeterHook
from .no_detections_hook import NoDetectionsHook
from .partial_load_hook import PartialLoadHook

checkpoint_safety.install()

__all__ = [
    'AnnotationReportHook',
    'AutocastOptimWrapper',
    'BatchSizeHook',
    'LoaderMeterHook',
    'NoDetectionsHook',
    'PartialLoadHook',
]
