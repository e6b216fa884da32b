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

from .compatibility import SUPPORTED

EXTENSION = 'mmcv._ext'

# Boxes settled at a time: large enough to keep the number of steps low, small enough to spend little on boxes that an
# earlier block removes. Measured on a CPU with 200 to 20,000 boxes, 64 and 128 were the fastest of 32 to 256.
_BLOCK = 128


def _iou(left: Tensor, right: Tensor, offset: int) -> Tensor:
    """IoU of (K, 4) and (L, 4) boxes -> (K, L); not a number where both areas are zero."""
    lx1, ly1, lx2, ly2 = left[:, :, None].unbind(1)  # (K, 1) each
    rx1, ry1, rx2, ry2 = right.unbind(1)
    width = (torch.minimum(lx2, rx2) - torch.maximum(lx1, rx1)).add_(offset).clamp_(min=0)
    height = (torch.minimum(ly2, ry2) - torch.maximum(ly1, ry1)).add_(offset).clamp_(min=0)
    overlap = width.mul_(height)
    left_area = (lx2 - lx1 + offset) * (ly2 - ly1 + offset)
    right_area = (rx2 - rx1 + offset) * (ry2 - ry1 + offset)
    return overlap / (left_area + right_area - overlap)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Greedy non-maximum suppression, the rule of mmcv's compiled op.

    Settles a block of boxes at a time. Within it, the set of kept boxes is the one solution of "a box is kept unless a
    kept box before it overlaps it", which repeating that sentence reaches.

    Args:
        boxes: (K, 4) float, xyxy.
        scores: (K,) float.
        iou_threshold: A box is dropped if its IoU with a kept box is greater.
        offset: Added to widths and heights (1 = the legacy pixel convention).

    Returns:
        (keep,) int64, indices into ``boxes`` by descending score.

    Source: open-mmlab/mmcv: mmcv/ops/csrc/pytorch/cpu/nms.cpp.
    Differs: boxes of equal score keep their order; the compiled op leaves it open.
    """
    left = scores.argsort(descending=True, stable=True)
    boxes_left = boxes[left].float()
    kept = [left[:0]]
    while len(left):
        size = min(_BLOCK, len(left))
        covers = _iou(boxes_left[:size], boxes_left, offset) > iou_threshold  # (size, left)
        covers_later = covers[:, :size].triu(diagonal=1)
        keep = torch.ones(size, dtype=torch.bool, device=boxes.device)
        while True:
            settled = ~(covers_later & keep[:, None]).any(dim=0)
            if torch.equal(settled, keep):
                break
            keep = settled
        kept.append(left[:size][keep])
        alive = ~(covers[:, size:] & keep[:, None]).any(dim=0)
        left, boxes_left = left[size:][alive], boxes_left[size:][alive]
    return torch.cat(kept)


def _not_compiled() -> str:
    """Answer mmcv's questions after its compilers, as mmcv's own report does without the compiled ops."""
    return 'n/a'


def _missing_op(name: str) -> Callable[..., Any]:
    def missing(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
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
