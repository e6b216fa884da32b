"""Parts of mmdet with what keeps them from working mended, for comparisons with ours: ``configs/comparators``."""

from collections.abc import Sequence
from typing import Optional

from mmdet.models.dense_heads import RPNHead, SSDHead
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import Tensor

from ssd_plugin.registry import MODELS


@MODELS.register_module()
class MMDetSSDHead(SSDHead):
    """mmdet's SSD head, able to predict.

    Differs: mmdet 3.2 and 3.3 read ``loss_cls`` at every prediction, and this head alone never sets it
    (https://github.com/open-mmlab/mmdetection/issues/11063). It is read for a kind of loss that none of SSD's is.
    """

    loss_cls = None


@MODELS.register_module()
class Float32RPNHead(RPNHead):
    """mmdet's region proposal network, for mixed precision in bfloat16.

    Differs: its maps become float32, for mmcv's compiled suppression of proposals takes no scores in bfloat16.
    """

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Predict on one level.

        Args:
            x: (B, C, h, w) float.

        Returns:
            Scores (B, A, h, w) and deltas (B, A * 4, h, w), float32.
        """
        scores, deltas = super().forward_single(x)
        return scores.float(), deltas.float()


@MODELS.register_module()
class Float32RoIExtractor(SingleRoIExtractor):
    """mmdet's extractor of regions of interest, exact in mixed precision.

    Differs: mmdet rounds the corners of regions to the type of the maps. In bfloat16 that is by up to a pixel from 256
    pixels on, and mmcv's compiled RoIAlign does not take that type.
    """

    def forward(self, feats: Sequence[Tensor], rois: Tensor, roi_scale_factor: Optional[float] = None) -> Tensor:
        """Pool the regions in 32 bits.

        Args:
            feats: Maps of the levels, (B, C, h, w) each.
            rois: (R, 5) float, the number of the image and xyxy in pixels of the network's input.
            roi_scale_factor: Factor of the regions' sides.

        Returns:
            (R, C, height, width) float32.
        """
        return super().forward([level.float() for level in feats], rois.float(), roi_scale_factor)
