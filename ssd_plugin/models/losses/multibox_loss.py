"""The multi-box loss."""

from typing import Callable, Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from ssd_plugin.models.dense_heads.levels import LevelLogits
from ssd_plugin.models.task_modules.assigners.ssd_assigner import IGNORED
from ssd_plugin.models.task_modules.samplers.hard_negative_sampler import HardNegativeSampler
from ssd_plugin.registry import MODELS

# (row indices of the flattened batch, or None for all rows) -> (predicted, target), each (R, 4)
BoxPairs = Callable[[Optional[Tensor]], 'tuple[Tensor, Tensor]']


@MODELS.register_module()
class MultiBoxLoss(BaseModule):
    """Softmax cross-entropy of positives and mined negatives plus alpha times the smooth L1 of positives, over N.

    N is the number of positives of the batch on this device, at least 1; it is not reduced over devices.

    Args:
        alpha: Weight of the box term.
        beta: Where smooth L1 turns from quadratic to linear.
        floor_per_image: Count at least one positive for every image in N, as mmdet does.

    Source: spec section 4.3; paper section 2.2.
    """

    def __init__(self, alpha: float = 1.0, beta: float = 1.0, floor_per_image: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.floor_per_image = floor_per_image

    def forward(
        self,
        logits: LevelLogits,
        labels: Tensor,
        matched: Tensor,
        box_pairs: BoxPairs,
        sampler: HardNegativeSampler,
    ) -> dict[str, Tensor]:
        """Loss of a batch.

        On a CPU, where reading how many boxes are kept costs nothing, only the kept ones enter the two terms. On a GPU
        that would wait for the device: there all boxes do, the others masked out.

        Args:
            logits: Of B images and N default boxes.
            labels: (B, N) int64; C for every box that is not positive.
            matched: (B, N) int64; object index, -1 for background, -2 for ignored.
            box_pairs: Gives predicted and target boxes, encoded or not, for rows of the flattened (B * N) batch.
            sampler: Chooses the negatives.

        Returns:
            ``loss_cls`` and ``loss_bbox``, scalars.
        """
        positives, ignored = matched >= 0, matched == IGNORED
        counts = positives.sum(1)
        normaliser = counts.clamp(min=1).sum() if self.floor_per_image else counts.sum().clamp(min=1)
        if matched.device.type == 'cpu':
            with torch.no_grad():
                negatives = sampler(logits.reduce(_background_loss), positives, ignored)
            rows, kept_logits = logits.pick((positives | negatives).flatten().nonzero()[:, 0])
            loss_cls = F.cross_entropy(kept_logits, labels.flatten()[rows], reduction='sum')
            loss_bbox = self._distance(*box_pairs(positives.flatten().nonzero()[:, 0])).sum()
        else:
            log_probabilities = logits.joined().log_softmax(2)
            negatives = sampler(-log_probabilities.detach()[..., -1], positives, ignored)
            cross_entropy = -log_probabilities.gather(2, labels[..., None])[..., 0]  # (B, N)
            loss_cls = cross_entropy.masked_fill(~(positives | negatives), 0).sum()
            # A mask and not a product: what an unmatched box predicts may be infinite.
            loss_bbox = self._distance(*box_pairs(None)).masked_fill(~positives.flatten(), 0).sum()
        return dict(loss_cls=loss_cls / normaliser, loss_bbox=self.alpha * loss_bbox / normaliser)

    def _distance(self, predicted: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(predicted, target, beta=self.beta, reduction='none').sum(1)


def _background_loss(logits: Tensor, axis: int) -> Tensor:
    """Cross-entropy against the background, the last class."""
    return -logits.log_softmax(axis).select(axis, -1)
