"""SSD (Single Shot MultiBox Detector, arXiv 1512.02325) as a plugin of MMDetection.

Import this package before any other part of mmdet: it makes mmdet importable on ``mmcv-lite``, which has no compiled
ops, and registers every part under the scope ``ssd_plugin``.

Flow: image -> ``datasets.transforms`` -> ``models.backbones`` (or any of mmdet's) -> ``models.necks`` ->
``models.dense_heads`` -> ``models.task_modules`` (default boxes, targets, mining) and ``models.losses`` in training,
``models.dense_heads.post_processor`` in prediction.

Two conventions hold everywhere but in ``converters``:

* labels are 0..C-1 for the C foreground classes, and C is the background;
* boxes are xyxy, float32, in pixels of the network's input.
"""

from . import compatibility

compatibility.check()

# mmcv_ops imports torch, whose absence the check explains.
from . import mmcv_ops  # noqa: E402
from .version import __version__  # noqa: E402

mmcv_ops.install()

# Makes MMEngine load checkpoints safely, also for those who use no tool of ours.
from . import engine  # noqa: E402, F401

__all__ = ['__version__']
