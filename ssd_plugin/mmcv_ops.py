"""Stands in for mmcv's compiled extension where only ``mmcv-lite`` is installed.

``mmcv-lite`` ships the Python half of ``mmcv.ops`` without the compiled ``mmcv._ext``, and mmdet imports ``mmcv.ops``
in some forty files. :func:`install` supplies that module when it is missing: ``nms`` is done in torch, every other op
is a function that raises and says what to install. With full mmcv nothing is touched.
"""

import importlib.machinery
import importlib.util
import sys
import types
from typing import Any, Callable

import torch
from torch import Tensor

from .box_ops import batched_nms
from .compatibility import SUPPORTED
from .errors import UserError

EXTENSION = 'mmcv._ext'


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Suppress greedily, by the rule of mmcv's compiled op.

    Args:
        boxes: (K, 4) float, xyxy.
        scores: (K,) float.
        iou_threshold: A box is dropped if its IoU with a kept box is greater.
        offset: Added to widths and heights (1 = the legacy pixel convention).

    Returns:
        (D,) int64, indices of the kept boxes by falling score.

    Source: ``open-mmlab/mmcv: mmcv/ops/csrc/pytorch/cpu/nms.cpp``.
    Differs: boxes of equal score keep their order; the compiled op leaves it open.
    """
    grown = boxes.float() + boxes.new_tensor([0, 0, offset, offset])
    return batched_nms(grown, scores, torch.zeros_like(scores, dtype=torch.int64), iou_threshold)


def _not_compiled() -> str:
    """Answer mmcv's questions after its compilers, as mmcv's own report does without the compiled ops."""
    return 'n/a'


def _missing_op(name: str) -> Callable[..., Any]:
    def missing(*args: Any, **kwargs: Any) -> Any:
        raise UserError(
            f'{name} is one of the compiled ops that mmcv-lite lacks: '
            f'pip uninstall -y mmcv-lite && pip install "mmcv{SUPPORTED["mmcv"]}"'
        )

    missing.__name__ = name
    return missing


class _FallbackExtension(types.ModuleType):
    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Import machinery and `inspect` probe modules for dunder names, and must be told the truth.
        if name.startswith('__'):
            raise AttributeError(name)
        return _missing_op(name)


def has_compiled_ops() -> bool:
    """Tell whether mmcv has its compiled ops."""
    return not isinstance(sys.modules.get(EXTENSION), _FallbackExtension)


def install() -> bool:
    """Put the stand-in in place if, and only if, mmcv has no compiled ops.

    Returns:
        True if the stand-in is in use.
    """
    loaded = sys.modules.get(EXTENSION)
    if loaded is not None:
        return isinstance(loaded, _FallbackExtension)
    if importlib.util.find_spec(EXTENSION) is not None:
        return False
    module = _FallbackExtension(EXTENSION)
    # Without a spec importlib.util.find_spec, which mmcv calls, raises.
    module.__spec__ = importlib.machinery.ModuleSpec(EXTENSION, None)
    vars(module).update(nms=nms, get_compiler_version=_not_compiled, get_compiling_cuda_version=_not_compiled)
    sys.modules[EXTENSION] = module
    return True
