"""The multi-box loss."""

from typing import Any, Optional

import torch
import torch.nn.functional as F
from mmdet.models.losses import FocalLoss, QualityFocalLoss, VarifocalLoss
from mmdet.models.losses.iou_loss import BoundedIoULoss, CIoULoss, DIoULoss, EIoULoss, GIoULoss, IoULoss, SIoULoss
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.dist import all_reduce, get_world_size
from mmengine.model import BaseModule
from torch import Tensor

from ssd_plugin.models.build_part import build_part
from ssd_plugin.registry import MODELS

# These compare whole boxes, not deltas.
IOU_LOSSES = (BoundedIoULoss, CIoULoss, DIoULoss, EIoULoss, GIoULoss, IoULoss, SIoULoss)


@MODELS.register_module()
class MultiBoxLoss(BaseModule):
    """Classification loss of the chosen priors plus alpha times the box loss of the positives, both over N.

    N is the number of positives of the batch, at least 1. Of several processes each takes the mean number of them all,
    so that the average of their gradients is the gradient of their whole batch.

    Args:
        loss_cls: mmdet's loss config. ``None``: softmax cross-entropy.
        loss_bbox: mmdet's loss config. ``None``: smooth L1 of the deltas.
        alpha: Weight of the box loss.
        floor_per_image: Count at least one positive for every image in N, as mmdet does.

    Source: docs/fidelity.md section 4; paper section 2.2.

    Differs: Each device of the authors has its own N.
    """

    def __init__(
        self,
        loss_cls: Optional[dict] = None,
        loss_bbox: Optional[dict] = None,
        alpha: float = 1.0,
        floor_per_image: bool = False,
    ) -> None:
        super().__init__()
        self.loss_cls: Any = build_part(
            MMDET_MODELS, loss_cls or dict(type='mmdet.CrossEntropyLoss'), 'bbox_head.loss_cls'
        )
        self.loss_bbox: Any = build_part(
            MMDET_MODELS, loss_bbox or dict(type='mmdet.SmoothL1Loss'), 'bbox_head.loss_bbox'
        )
        self.alpha = alpha
        self.floor_per_image = floor_per_image

    @property
    def use_sigmoid(self) -> bool:
        """Whether classes are scored one by one, without a background class."""
        return getattr(self.loss_cls, 'use_sigmoid', False)

    @property
    def compares_boxes(self) -> bool:
        """Whether the box loss compares decoded boxes instead of deltas."""
        return isinstance(self.loss_bbox, IOU_LOSSES)

    @property
    def needs_quality(self) -> bool:
        """Whether the classification loss learns the IoU of the predicted box."""
        return isinstance(self.loss_cls, (QualityFocalLoss, VarifocalLoss))

    def background_loss(self, logits: Tensor) -> Tensor:
        """Compute what calling a prior background costs, the criterion of the mining.

        Args:
            logits: (B, n, C + 1), background last, or (B, n, C) for a sigmoid loss.

        Returns:
            (B, n) float32.
        """
        if self.use_sigmoid:
            return F.softplus(logits.float()).sum(-1)
        return -logits.float().log_softmax(-1)[..., -1]

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        chosen: Tensor,
        quality: Optional[Tensor],
        bbox_preds: Tensor,
        bbox_targets: Tensor,
        positives: Tensor,
        num_positives: Tensor,
    ) -> dict[str, Tensor]:
        """Compute the loss of a batch.

        Args:
            logits: (R, C + 1), or (R, C) for a sigmoid loss, float32.
            labels: (R,) int64, C for background.
            chosen: (R,) bool, priors that take part in the classification loss.
            quality: (R,) IoU of predicted and gt box, 0 for background; None where :attr:`needs_quality` is False.
            bbox_preds: (P, 4) deltas, or boxes in pixels.
            bbox_targets: (P, 4) of the same kind.
            positives: (P,) bool, priors that take part in the box loss.
            num_positives: (B,) int64, positives of each image.

        Returns:
            ``loss_cls`` and ``loss_bbox``, scalars.
        """
        n = (num_positives.clamp(min=1) if self.floor_per_image else num_positives).sum().float()
        all_reduce(n, 'mean')
        n = n.clamp(min=1 / get_world_size())
        weights = chosen.float()
        targets = labels
        if isinstance(self.loss_cls, (FocalLoss, QualityFocalLoss, VarifocalLoss)):
            # One-hot targets need none of mmcv's compiled ops, on no device.
            targets = F.one_hot(labels, logits.shape[1] + 1)[:, :-1].float()  # (R, C)
            targets = targets if quality is None else targets * quality[:, None]
            weights = weights[:, None] if isinstance(self.loss_cls, VarifocalLoss) else weights
        loss_cls = self.loss_cls(logits, targets, weights, avg_factor=n)
        # Replaced and not only weighted by 0: what a prior without an object predicts may be infinite.
        bbox_preds = torch.where(positives[:, None], bbox_preds, bbox_targets)
        loss_bbox = self.loss_bbox(bbox_preds, bbox_targets, positives[:, None].expand(-1, 4).float(), avg_factor=n)
        return dict(loss_cls=loss_cls, loss_bbox=self.alpha * loss_bbox)
