"""Look for parts of a model that need mmcv's compiled ops, before a run starts without them."""

import sys
from typing import Any, Optional

from mmcv import ops
from mmengine.config import Config
from mmengine.registry import MODELS

from ssd_plugin.errors import UserError
from ssd_plugin.mmcv_ops import INSTALL_MMCV, OR_TORCHVISION, has_compiled_ops, has_torchvision

from .config_types import find, walk

# What the stand-in does in torch, and what mmcv itself does so on a CPU.
_IN_TORCH = ('nms', 'SigmoidFocalLoss', 'MultiScaleDeformableAttention')


def check_compiled_ops(config: Config) -> None:
    """Compare the types in a model with what mmcv can do.

    Args:
        config: A whole config.

    Raises:
        UserError: A part needs a compiled op that is not there; the line has the command that brings it.
    """
    if has_compiled_ops():
        return
    for path, part in walk(config.model, 'model'):
        name = part.get('type')
        if not _calls_the_extension(name, config.get('default_scope')) or name in _IN_TORCH:
            continue
        if name == 'RoIAlign' and has_torchvision():
            continue
        remedy = INSTALL_MMCV + (OR_TORCHVISION if name == 'RoIAlign' else '')
        raise UserError(f'{path}.type: {name!r} is one of the compiled ops that mmcv-lite lacks: {remedy}')


def _calls_the_extension(name: Any, scope: Optional[str]) -> bool:
    # mmdet takes layers of regions and kinds of suppression from mmcv.ops by name, all others from the registry.
    kind = find(MODELS, name, scope) or getattr(ops, str(name), None)
    module = getattr(kind, '__module__', None) or ''
    return module.startswith('mmcv.ops') and hasattr(sys.modules[module], 'ext_module')
