"""SSD (Single Shot MultiBox Detector, arXiv 1512.02325) as a plugin of MMDetection.

Import this package before any other part of mmdet: it makes mmdet importable on ``mmcv-lite``, which has no compiled
ops, and registers every part under the scope ``ssd_plugin``.

Flow: image file -> ``datasets.transforms`` -> ``models.backbones`` (``SSDVGG`` or any other) -> ``models.necks`` ->
``models.dense_heads``, with priors, targets and mining of ``models.task_modules`` -> ``models.losses`` in training,
``models.dense_heads.post_processor`` in prediction. docs/architecture.md has it file by file.

Two conventions hold everywhere but in ``converters``:

* labels are 0..C-1 for the C foreground classes, and C is the background;
* boxes are xyxy, float32, in pixels of the network's input.
"""

from . import compatibility

compatibility.check()

# They import packages whose absence the check explains.
from . import mmcv_ops, shipped_configs  # noqa: E402
from .version import __version__  # noqa: E402

mmcv_ops.install()
shipped_configs.install()

# Makes MMEngine load checkpoints safely, also for those who use no tool of ours.
from . import engine  # noqa: E402, F401

__all__ = ['__version__']
