"""The multi-box loss."""

from typing import Callable, Dict, Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from ssd_plugin.registry import MODELS

from .task_modules.assigner import IGNORED
from .task_modules.hard_negative_sampler import HardNegativeSampler

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
        logits: Tensor,
        labels: Tensor,
        matched: Tensor,
        box_pairs: BoxPairs,
        sampler: HardNegativeSampler,
    ) -> Dict[str, Tensor]:
        """Loss of a batch.

        Args:
            logits: (B, N, C + 1) float32, background last.
            labels: (B, N) int64; C for every box that is not positive.
            matched: (B, N) int64; object index, -1 for background, -2 for ignored.
            box_pairs: Gives predicted and target boxes, encoded or not, for rows of the flattened (B * N) batch.
            sampler: Chooses the negatives.

        Returns:
            ``loss_cls`` and ``loss_bbox``, scalars.
        """
        positives = matched >= 0
        with torch.no_grad():
            background_loss = torch.logsumexp(logits, dim=2) - logits[..., -1]
            negatives = sampler(background_loss, positives, matched == IGNORED)
        counts = positives.sum(1)
        normaliser = counts.clamp(min=1).sum() if self.floor_per_image else counts.sum().clamp(min=1)

        kept = (positives | negatives).flatten()
        rows = _rows(kept)
        cross_entropy = F.cross_entropy(
            _take(logits.flatten(0, 1), rows), _take(labels.flatten(), rows), reduction='none'
        )
        loss_cls = (cross_entropy * _take(kept, rows)).sum() / normaliser

        flat_positives = positives.flatten()
        rows = _rows(flat_positives)
        predicted, target = box_pairs(rows)
        distance = F.smooth_l1_loss(predicted, target, beta=self.beta, reduction='none').sum(1)
        # A mask and not a product: what an unmatched box predicts may be infinite.
        distance = distance.masked_fill(~_take(flat_positives, rows), 0)
        return dict(loss_cls=loss_cls, loss_bbox=self.alpha * distance.sum() / normaliser)


def _rows(mask: Tensor) -> Optional[Tensor]:
    """Indices of the true entries on a CPU, where reading them costs nothing; elsewhere None: work on all rows."""
    return mask.nonzero()[:, 0] if mask.device.type == 'cpu' else None


def _take(values: Tensor, rows: Optional[Tensor]) -> Tensor:
    return values if rows is None else values[rows]
