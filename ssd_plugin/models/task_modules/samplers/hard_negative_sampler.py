"""Hard negative mining."""

from typing import Optional

import torch
from torch import Tensor

from ssd_plugin.registry import TASK_UTILS

from .ranking import top_indices


@TASK_UTILS.register_module()
class HardNegativeSampler:
    """Keeps, image by image, the background boxes that the network is most wrong about.

    Args:
        neg_pos_ratio: Negatives kept for each positive of the same image.
        min_negatives: Negatives kept in an image with fewer positives than would give so many. The authors keep none
            in an image without objects (0); a positive number lets such images teach too.

    Raises:
        ValueError: A number is negative.

    Source: spec section 4.2; ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (MAX_NEGATIVE).
    """

    def __init__(self, neg_pos_ratio: float = 3.0, min_negatives: int = 0) -> None:
        if neg_pos_ratio < 0 or min_negatives < 0:
            raise ValueError(f'neg_pos_ratio={neg_pos_ratio}, min_negatives={min_negatives}: expected 0 or more')
        self.neg_pos_ratio = neg_pos_ratio
        self.min_negatives = min_negatives

    def __call__(self, background_loss: Tensor, positives: Tensor, ignored: Optional[Tensor] = None) -> Tensor:
        """Choose the negatives of a batch; ties go to the lower index.

        Args:
            background_loss: (B, N) float, cross-entropy of every box against the background.
            positives: (B, N) bool, boxes matched to an object.
            ignored: (B, N) bool, boxes that are neither positive nor negative.

        Returns:
            (B, N) bool, the kept negatives.
        """
        out = positives if ignored is None else positives | ignored
        eligible = (~out).sum(1)  # (B,)
        wanted = (positives.sum(1) * self.neg_pos_ratio).long().clamp(min=self.min_negatives)
        count = torch.minimum(wanted, eligible)[:, None]  # (B, 1)
        losses = background_loss.detach().masked_fill(out, -torch.inf)
        if losses.device.type == 'cpu':
            # Reading how many are wanted at most is free here, and spares the sorting of all.
            order = top_indices(losses, int(count.max()))  # (B, K)
        else:
            order = losses.argsort(dim=1, descending=True, stable=True)  # (B, N)
        rank = torch.arange(order.shape[1], device=losses.device)[None]
        return torch.zeros_like(positives).scatter_(1, order, rank < count)
