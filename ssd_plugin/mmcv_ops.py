"""Stands in for mmcv's compiled extension where only ``mmcv-lite`` is installed.

``mmcv-lite`` ships the Python half of ``mmcv.ops`` without the compiled ``mmcv._ext``, and mmdet imports ``mmcv.ops``
in some forty files. :func:`install` supplies that module when it is missing: ``nms`` and the focal loss, which mmdet
calls on a GPU, are done in torch, RoIAlign by torchvision where that is installed, and every other op is a function
that raises and says what to install. With full mmcv nothing is touched.
"""

import importlib.machinery
import importlib.util
import sys
import types
from typing import Any, Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .box_ops import batched_nms
from .compatibility import SUPPORTED
from .errors import UserError

EXTENSION = 'mmcv._ext'
INSTALL_MMCV = f'pip uninstall -y mmcv-lite && pip install "mmcv{SUPPORTED["mmcv"]}"'
OR_TORCHVISION = ', or install the torchvision that belongs to the installed torch'


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


def _focal_loss(logits: Tensor, labels: Tensor, weight: Tensor, gamma: float, alpha: float) -> Tensor:
    from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss

    if weight.numel():
        raise UserError(f'sigmoid_focal_loss with weights of classes is one of the compiled ops: {INSTALL_MMCV}')
    one_hot = F.one_hot(labels, logits.shape[1] + 1)[:, :-1]  # background is the last
    return py_sigmoid_focal_loss(logits, one_hot, gamma=gamma, alpha=alpha, reduction='none')


def sigmoid_focal_loss_forward(
    logits: Tensor, labels: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Compute the focal loss.

    Args:
        logits: (N, C) float.
        labels: (N,) int64, 0..C, C is the background.
        weight: Empty.
        output: (N, C) float, which the loss is written into.
        gamma: Power of how wrong a score is.
        alpha: Weight of the positives; of the others 1 - alpha.

    Raises:
        UserError: There are weights of classes, which mmdet has none of.

    Source: ``open-mmlab/mmcv: mmcv/ops/focal_loss.py``.
    """
    output.copy_(_focal_loss(logits, labels, weight, gamma, alpha))


def sigmoid_focal_loss_backward(
    logits: Tensor, labels: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Compute the gradient of the sum of :func:`sigmoid_focal_loss_forward` into ``grad_input``, (N, C) float."""
    leaf = logits.detach().requires_grad_()
    with torch.enable_grad():
        loss = _focal_loss(leaf, labels, weight, gamma, alpha).sum()
    grad_input.copy_(torch.autograd.grad(loss, leaf)[0])


def _roi_align(maps: Tensor, rois: Tensor, settings: dict[str, Any]) -> Tensor:
    if not has_torchvision():
        raise UserError(f'RoIAlign is one of the compiled ops that mmcv-lite lacks: {INSTALL_MMCV}{OR_TORCHVISION}')
    from torchvision.ops import roi_align

    if not settings['pool_mode']:
        raise UserError(f"RoIAlign with pool_mode='max' is one of the compiled ops: {INSTALL_MMCV}")
    size = settings['aligned_height'], settings['aligned_width']
    return roi_align(maps, rois, size, settings['spatial_scale'], settings['sampling_ratio'], bool(settings['aligned']))


def roi_align_forward(
    maps: Tensor, rois: Tensor, output: Tensor, argmax_y: Tensor, argmax_x: Tensor, **settings: Any
) -> None:
    """Pool regions by torchvision's RoIAlign.

    Args:
        maps: (B, C, h, w) float.
        rois: (R, 5) float, the number of the image and xyxy.
        output: (R, C, aligned_height, aligned_width) float, which the result is written into.
        argmax_y: Of pooling by maxima, unused.
        argmax_x: The same.
        **settings: ``aligned_height``, ``aligned_width``, ``spatial_scale``, ``sampling_ratio``, ``pool_mode``,
            ``aligned``.

    Raises:
        UserError: There is no torchvision, or pooling by maxima is asked for, which it has not.

    Source: ``open-mmlab/mmcv: mmcv/ops/roi_align.py``.
    """
    output.copy_(_roi_align(maps, rois, settings))


def roi_align_backward(
    grad_output: Tensor, rois: Tensor, argmax_y: Tensor, argmax_x: Tensor, grad_input: Tensor, **settings: Any
) -> None:
    """Compute the gradient of :func:`roi_align_forward` by the maps into ``grad_input``, (B, C, h, w) float."""
    # It is linear in the maps: the gradient is the same at zeros.
    maps = torch.zeros_like(grad_input).requires_grad_()
    with torch.enable_grad():
        pooled = _roi_align(maps, rois, settings)
    grad_input.copy_(torch.autograd.grad(pooled, maps, grad_output)[0])


def _not_compiled() -> str:
    """Answer mmcv's questions after its compilers, as mmcv's own report does without the compiled ops."""
    return 'n/a'


def _missing_op(name: str) -> Callable[..., Any]:
    def missing(*args: Any, **kwargs: Any) -> Any:
        raise UserError(f'{name} is one of the compiled ops that mmcv-lite lacks: {INSTALL_MMCV}')

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


def has_torchvision() -> bool:
    """Tell whether torchvision is there and fits the installed torch; of another build it cannot be imported."""
    try:
        importlib.import_module('torchvision.ops')
    except (ImportError, RuntimeError):
        return False
    return True


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
    vars(module).update(get_compiler_version=_not_compiled, get_compiling_cuda_version=_not_compiled)
    supplied = nms, sigmoid_focal_loss_forward, sigmoid_focal_loss_backward, roi_align_forward, roi_align_backward
    vars(module).update({op.__name__: op for op in supplied})
    sys.modules[EXTENSION] = module
    return True
