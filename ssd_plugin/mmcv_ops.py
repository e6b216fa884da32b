"""Stands in for mmcv's compiled extension where only ``mmcv-lite`` is installed.

``mmcv-lite`` ships the Python half of ``mmcv.ops`` without the compiled ``mmcv._ext``, and mmdet imports ``mmcv.ops`` in
some forty files. :func:`install` supplies that module when it is missing: ``nms`` is done in torch, every other op is a
function that raises and says what to install. With full mmcv nothing is touched.
"""

import importlib.machinery
import importlib.util
import sys
import types
from typing import Any, Callable

import torch
from torch import Tensor

EXTENSION = 'mmcv._ext'


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Greedy non-maximum suppression, the rule of mmcv's compiled op.

    Args:
        boxes: (K, 4) float, xyxy.
        scores: (K,) float.
        iou_threshold: A box is dropped if its IoU with a kept box is greater.
        offset: Added to widths and heights (1 = the legacy pixel convention).

    Returns:
        (keep,) int64, indices into ``boxes`` by descending score.
    """
    order = scores.argsort(descending=True, stable=True)
    sorted_boxes = boxes[order].float()
    x1, y1, x2, y2 = sorted_boxes.unbind(1)
    area = (x2 - x1 + offset) * (y2 - y1 + offset)
    alive = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    for i in range(len(order)):
        if not alive[i]:
            continue
        width = (torch.minimum(x2[i], x2[i + 1 :]) - torch.maximum(x1[i], x1[i + 1 :]) + offset).clamp_(min=0)
        height = (torch.minimum(y2[i], y2[i + 1 :]) - torch.maximum(y1[i], y1[i + 1 :]) + offset).clamp_(min=0)
        overlap = width * height
        alive[i + 1 :] &= overlap <= iou_threshold * (area[i] + area[i + 1 :] - overlap)
    return order[alive]


def _missing_op(name: str) -> Callable[..., Any]:
    def missing(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f'mmcv.ops: {name} is a compiled op that mmcv-lite lacks: pip install mmcv==2.1.0')

    missing.__name__ = name
    return missing


class _FallbackExtension(types.ModuleType):
    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Import machinery and `inspect` probe modules for dunder names, and must be told the truth.
        if name.startswith('__'):
            raise AttributeError(name)
        return _missing_op(name)


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
    vars(module)['nms'] = nms
    sys.modules[EXTENSION] = module
    return True
