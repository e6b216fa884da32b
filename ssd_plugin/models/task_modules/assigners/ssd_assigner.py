"""Matching of default boxes to objects, over a whole batch at once."""

from typing import NamedTuple, Optional

import torch
from torch import Tensor

from ssd_plugin.registry import TASK_UTILS

from .bipartite import bipartite_match
from .overlaps import iof, iou

NEGATIVE = -1
IGNORED = -2
# Overlaps up to this count as none (`weiliu89/caffe: src/caffe/util/bbox_util.cpp`).
MIN_OVERLAP = 1e-6
# Elements of one (images, truths, boxes) overlap block: bounds the memory of the matching however large the batch, and
# keeps a block in a CPU's second-level cache.
BLOCK_ON_CPU = 1 << 19
BLOCK_ON_DEVICE = 1 << 23


class Truths(NamedTuple):
    """The objects of a batch, padded to the image with the most.

    Attributes:
        boxes: (B, M, 4) float32 xyxy in pixels; anything where ``valid`` is False.
        labels: (B, M) int64, 0..C-1.
        valid: (B, M) bool.
    """

    boxes: Tensor
    labels: Tensor
    valid: Tensor


@TASK_UTILS.register_module()
class SSDAssigner:
    """Gives every default box its object, the background, or nothing.

    First each object gets a box: with ``matching='bipartite'`` (the authors') the pair of the largest overlap is taken
    out again and again, so that two objects never share their only box; with ``'argmax'`` (mmdet's) every object takes
    its own best box and later objects overwrite. Then every box still free takes the object it overlaps most, if by at
    least ``pos_iou_thr``. Ties go to the lower box, then the lower object.

    Args:
        pos_iou_thr: IoU from which a free box becomes positive.
        neg_iou_thr: IoU below which a free box is background; between the two it is ignored. ``None``: as above.
        matching: 'bipartite' or 'argmax'.
        min_pos_iou: Smallest IoU of a pair of the first stage. ``None``: more than 1e-6, the authors' rule.
        ignore_iof_thr: Free boxes covered by an ignore region by at least this share of their area are ignored; not
            positive switches it off, as the authors have it.
        ignore_cross_boundary: Ignore boxes that cross the border of the image (paper Table 3).

    Raises:
        ValueError: An unknown matching, or thresholds out of order.

    Source: spec section 3; ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (MatchBBox).
    """

    def __init__(
        self,
        pos_iou_thr: float = 0.5,
        neg_iou_thr: Optional[float] = None,
        matching: str = 'bipartite',
        min_pos_iou: Optional[float] = None,
        ignore_iof_thr: float = -1,
        ignore_cross_boundary: bool = False,
    ) -> None:
        if matching not in ('bipartite', 'argmax'):
            raise ValueError(f"matching={matching!r}, expected 'bipartite' or 'argmax'")
        self.pos_iou_thr = pos_iou_thr
        self.neg_iou_thr = pos_iou_thr if neg_iou_thr is None else neg_iou_thr
        if not 0 < self.neg_iou_thr <= self.pos_iou_thr:
            raise ValueError(f'pos_iou_thr={pos_iou_thr}, neg_iou_thr={neg_iou_thr}: expected 0 < neg <= pos')
        self.matching = matching
        self.min_pos_iou = min_pos_iou
        self.ignore_iof_thr = ignore_iof_thr
        self.ignore_cross_boundary = ignore_cross_boundary

    def assign(
        self,
        priors: Tensor,
        truths: Truths,
        ignored: Optional[Truths] = None,
        input_size: Optional[Tensor] = None,
    ) -> Tensor:
        """Match a batch.

        Args:
            priors: (N, 4) float32 xyxy, pixels.
            truths: The objects, M at most per image.
            ignored: Ignore regions; labels unused.
            input_size: (B, 2) W and H of the images in pixels; needed for ``ignore_cross_boundary``.

        Returns:
            (B, N) int64: index of the object, -1 for background, -2 for ignored.
        """
        batch, most = truths.valid.shape
        crossing = self._crossing(priors, input_size, batch)
        if most == 0:
            matched = torch.full((batch, len(priors)), NEGATIVE, dtype=torch.int64, device=priors.device)
        else:
            block = BLOCK_ON_CPU if priors.device.type == 'cpu' else BLOCK_ON_DEVICE
            step = max(1, block // (most * len(priors)))
            blocks = [
                self._assign_block(
                    priors,
                    truths.boxes[i : i + step],
                    truths.valid[i : i + step],
                    None if crossing is None else crossing[i : i + step],
                )
                for i in range(0, batch, step)
            ]
            matched = torch.cat(blocks)
        if ignored is not None and self.ignore_iof_thr > 0 and ignored.valid.shape[1]:
            covered = torch.stack(
                [
                    iof(priors, boxes).masked_fill(~valid[:, None], 0).amax(0) >= self.ignore_iof_thr
                    for boxes, valid in zip(ignored.boxes, ignored.valid)
                ]
            )
            matched = matched.masked_fill(covered & (matched == NEGATIVE), IGNORED)
        return matched if crossing is None else matched.masked_fill(crossing, IGNORED)

    def _crossing(self, priors: Tensor, input_size: Optional[Tensor], batch: int) -> Optional[Tensor]:
        """Boxes that cross the border of each image, (B, N) bool; None where they take part as any other."""
        if not self.ignore_cross_boundary:
            return None
        if input_size is None:
            raise ValueError('ignore_cross_boundary needs the input size of every image')
        beyond = (priors[:, 2:] > input_size[:, None, :].to(priors)).any(-1)  # (B, N)
        return (beyond | (priors[:, :2] < 0).any(-1)).expand(batch, -1)

    def _assign_block(self, priors: Tensor, boxes: Tensor, valid: Tensor, crossing: Optional[Tensor]) -> Tensor:
        # Without extent, padding overlaps nothing.
        overlaps = iou(boxes.masked_fill(~valid[:, :, None], 0), priors)  # (b, M, N)
        if crossing is not None:
            # Out before the matching: an object whose best box crosses the border takes its next best.
            overlaps.masked_fill_(crossing[:, None], -1)
        best, index = overlaps.max(1)  # (b, N)
        matched = torch.where(best >= self.pos_iou_thr, index, NEGATIVE)
        matched = matched.masked_fill((best < self.pos_iou_thr) & (best >= self.neg_iou_thr), IGNORED)
        if self.matching == 'bipartite':
            floor = MIN_OVERLAP if self.min_pos_iou is None else self.min_pos_iou
            forced = bipartite_match(overlaps, floor)
        else:
            forced = self._argmax_match(overlaps, valid)
        return torch.where(forced >= 0, forced, matched)

    def _argmax_match(self, overlaps: Tensor, valid: Tensor) -> Tensor:
        batch, most, count = overlaps.shape
        best, prior = overlaps.max(2)  # (b, M)
        floor = 0.0 if self.min_pos_iou is None else self.min_pos_iou
        index = torch.arange(most, device=overlaps.device).expand(batch, most)
        index = index.masked_fill(~valid | (best < floor), NEGATIVE)
        empty = torch.full((batch, count), NEGATIVE, dtype=torch.int64, device=overlaps.device)
        # The largest index wins: a later object overwrites an earlier one.
        return empty.scatter_reduce_(1, prior, index, 'amax')
