"""Hard negative mining."""

import torch
from torch import Tensor

from ssd_plugin.errors import UserError
from ssd_plugin.registry import TASK_UTILS


@TASK_UTILS.register_module()
class HardNegativeSampler:
    """Keep, image by image, the background priors that the network is most wrong about.

    Args:
        neg_pos_ratio: Negatives kept for each positive of the same image.
        min_negatives: Negatives kept in an image with fewer positives than would give so many. The authors keep none
            in an image without objects (0); a positive number lets such images teach too.

    Raises:
        UserError: A number is negative.

    Source: docs/fidelity.md section 4; ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (MAX_NEGATIVE).
    """

    def __init__(self, neg_pos_ratio: float = 3.0, min_negatives: int = 0) -> None:
        if neg_pos_ratio < 0 or min_negatives < 0:
            raise UserError(
                f'HardNegativeSampler: neg_pos_ratio={neg_pos_ratio}, min_negatives={min_negatives}, expected 0 or more'
            )
        self.neg_pos_ratio = neg_pos_ratio
        self.min_negatives = min_negatives

    def __call__(self, background_loss: Tensor, positives: Tensor, ignored: Tensor) -> Tensor:
        """Choose the priors that take part in the classification loss; of equal losses the lower index is harder.

        Args:
            background_loss: (B, N) float, the loss of calling every prior background.
            positives: (B, N) bool, priors matched to an object.
            ignored: (B, N) bool, priors that are neither positive nor negative.

        Returns:
            (B, N) bool, positives and kept negatives.
        """
        eligible = ~(positives | ignored)
        wanted = (positives.sum(1) * self.neg_pos_ratio).long().clamp(min=self.min_negatives)
        count = torch.minimum(wanted, eligible.sum(1))[:, None]  # (B, 1)
        losses = background_loss.masked_fill(~eligible, -torch.inf)
        # On a CPU, where reading a value costs nothing, no more are ranked than an image needs.
        most = int(count.max()) if losses.device.type == 'cpu' else losses.shape[1]
        least = losses.topk(max(1, most), dim=1).values.gather(1, (count - 1).clamp(min=0))  # (B, 1), the last one kept
        harder, equal = losses > least, losses == least
        room = count - harder.sum(1, keepdim=True)
        return positives | harder | equal & (equal.cumsum(1) <= room)
