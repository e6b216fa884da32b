"""Centre-size box coding that does not stop a GPU."""

import math
from typing import Any

import torch
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder
from torch import Tensor

from ssd_plugin.errors import UserError
from ssd_plugin.registry import TASK_UTILS


@TASK_UTILS.register_module()
class DeltaBoxCoder(DeltaXYWHBBoxCoder):
    """mmdet's coder of centre-size deltas, its means and deviations kept on the device.

    mmdet copies these constants at every call, and each copy lets the host wait for the GPU. Same arguments, same
    numbers; of plain tensors only, without the clamping of centres, and clipping is left to the caller.

    Raises:
        UserError: ``add_ctr_clamp``, which SSD does not have.

    Source: docs/fidelity.md section 4; ``open-mmlab/mmdetection:
    mmdet/models/task_modules/coders/delta_xywh_bbox_coder.py`` (bbox2delta, delta2bbox).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.add_ctr_clamp:
            raise UserError('bbox_coder.add_ctr_clamp: True, expected False: SSD does not clamp centres')
        self._kept: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def _constants(self, device: torch.device) -> tuple[Tensor, Tensor]:
        if device not in self._kept:
            # Whatever mode the first call is made in: they outlive it, and inference tensors carry no gradient.
            with torch.inference_mode(False):
                self._kept[device] = torch.tensor(self.means, device=device), torch.tensor(self.stds, device=device)
        return self._kept[device]

    def encode(self, bboxes: Tensor, gt_bboxes: Tensor) -> Tensor:
        """Encode gt boxes (R, 4) relative to priors (R, 4), all xyxy, as normalised deltas (R, 4).

        Differences of centres over the prior's size, then logarithms of the ratios of sizes.
        """
        means, stds = self._constants(bboxes.device)
        size, gt_size = bboxes[:, 2:] - bboxes[:, :2], gt_bboxes[:, 2:] - gt_bboxes[:, :2]
        shift = (gt_bboxes[:, :2] + gt_bboxes[:, 2:] - bboxes[:, :2] - bboxes[:, 2:]) * 0.5
        return (torch.cat([shift / size, (gt_size / size).log()], 1) - means) / stds

    def decode(
        self, bboxes: Tensor, pred_bboxes: Tensor, max_shape: None = None, wh_ratio_clip: float = 16 / 1000
    ) -> Tensor:
        """Decode deltas (R, 4) relative to priors (R, 4), xyxy, to boxes (R, 4), xyxy.

        A box becomes at most the factor ``wh_ratio_clip`` smaller, or larger, than its prior.
        """
        means, stds = self._constants(bboxes.device)
        shift, stretch = (pred_bboxes * stds + means).chunk(2, 1)
        corner, opposite = bboxes.chunk(2, 1)
        limit = abs(math.log(wh_ratio_clip))
        size = opposite - corner
        centre = (corner + opposite) * 0.5 + shift * size
        half = size * stretch.clamp(-limit, limit).exp() * 0.5
        return torch.cat([centre - half, centre + half], 1)
