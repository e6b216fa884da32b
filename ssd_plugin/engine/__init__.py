"""What the training loop needs: mixed precision, hooks, safe checkpoints.

Importing it makes MMEngine load every checkpoint safely and resume from the newest intact one, in the whole process:
see ``checkpoint_safety.install`` and ``checkpoint_search.install``.
"""

from . import checkpoint_safety, checkpoint_search
from .annotation_hook import AnnotationReportHook
from .autocast import AutocastOptimWrapper
from .batch_size_hook import BatchSizeHook
from .exact_resume_hook import ExactResumeHook
from .loader_meter_hook import LoaderMeterHook
from .no_detections_hook import NoDetectionsHook
from .non_finite_loss_hook import NonFiniteLossHook
from .partial_load_hook import PartialLoadHook
from .quarantine_hook import QuarantineHook
from .safe_checkpoint_hook import SafeCheckpointHook

checkpoint_safety.install()
checkpoint_search.install()

__all__ = [
    'AnnotationReportHook',
    'AutocastOptimWrapper',
    'BatchSizeHook',
    'ExactResumeHook',
    'LoaderMeterHook',
    'NoDetectionsHook',
    'NonFiniteLossHook',
    'PartialLoadHook',
    'QuarantineHook',
    'SafeCheckpointHook',
]
