"""SSD's matching of priors to gt boxes, over a whole batch at once."""

from typing import Any, Optional

import torch
from torch import Tensor

from ssd_plugin.box_ops import box_iou
from ssd_plugin.errors import UserError
from ssd_plugin.registry import TASK_UTILS

from .batch_assigner import BACKGROUND, IGNORED
from .batch_gt_instances import BatchGTInstances

# Overlaps up to this count as none (`weiliu89/caffe: src/caffe/util/bbox_util.cpp`).
MIN_OVERLAP = 1e-6
# Overlaps held at a time: on a CPU as many as its cache keeps, elsewhere 256 MB, however large the batch.
MAX_OVERLAPS_CPU, MAX_OVERLAPS = 1 << 19, 1 << 26


def bipartite_match(overlaps: Tensor, preferred: Tensor) -> Tensor:
    """Match greedily: take the pair of largest overlap, remove its object and its prior, and go on.

    A pair that is the best of its object and the best of its prior is a greedy pair, whatever happens elsewhere. Each
    round makes all such pairs of the batch at once, the largest overlap left among them; so there are as many rounds as
    objects at most. On a CPU, where reading a value costs nothing, settled objects are left out and the last round is
    the one after which none is open; a GPU runs all rounds without a wait.

    Args:
        overlaps: (B, M, N) float IoU, 0 where a pair is not to be made.
        preferred: (B, N) int64, the first object that each prior overlaps most.

    Returns:
        (B, N) int64, index of the object matched to each prior, or -1. Of equal overlaps the lower prior, then the
        lower object goes first.

    Source: ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (MatchBBox, bipartite stage).
    """
    batch, num_gts, num_priors = overlaps.shape
    gt_inds = torch.arange(num_gts, device=overlaps.device)
    assigned_gt_inds = torch.full((batch, num_priors), BACKGROUND, dtype=torch.int64, device=overlaps.device)
    for _ in range(num_gts):
        best, prior_inds = overlaps.max(2)  # (B, M)
        open_ = best > MIN_OVERLAP
        mutual = open_ & (preferred.gather(1, prior_inds) == torch.arange(len(gt_inds), device=overlaps.device))
        assigned_gt_inds.scatter_reduce_(1, prior_inds, torch.where(mutual, gt_inds, BACKGROUND), 'amax')
        open_ = open_ & ~mutual
        if overlaps.device.type == 'cpu':
            left = open_.any(0).nonzero()[:, 0]
            if not len(left):
                break
            overlaps, gt_inds, open_ = overlaps[:, left], gt_inds[left], open_[:, left]
        overlaps = overlaps.masked_fill((assigned_gt_inds >= 0)[:, None] | ~open_[..., None], 0)
        preferred = overlaps.max(1).indices
    return assigned_gt_inds


@TASK_UTILS.register_module()
class SSDAssigner:
    """Give every prior its object, the background, or nothing; a :class:`BatchAssigner`.

    First each object gets a prior: the pair of the largest overlap is taken out again and again, so that two objects
    never share their only prior. Then every prior still free takes the object it overlaps most, if by at least
    ``pos_iou_thr``. Ties go to the lower prior, then the lower object.

    Args:
        pos_iou_thr: IoU from which a free prior becomes positive.
        ignore_iof_thr: Free priors covered by an ignore region by at least this share of their area are ignored; not
            positive switches it off, as the authors have it.
        ignore_cross_boundary: Ignore priors that cross the border of the image (paper Table 3).

    Raises:
        UserError: ``pos_iou_thr`` is not above 0.

    Source: docs/fidelity.md section 3; ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (MatchBBox).
    """

    def __init__(
        self, pos_iou_thr: float = 0.5, ignore_iof_thr: float = -1, ignore_cross_boundary: bool = False
    ) -> None:
        if not 0 < pos_iou_thr <= 1:
            raise UserError(f'SSDAssigner.pos_iou_thr: {pos_iou_thr}, expected more than 0 and at most 1')
        self.pos_iou_thr = pos_iou_thr
        self.ignore_iof_thr = ignore_iof_thr
        self.ignore_cross_boundary = ignore_cross_boundary

    def assign(
        self,
        priors: Tensor,
        batch_gt: BatchGTInstances,
        *,
        batch_gt_ignore: Optional[BatchGTInstances] = None,
        img_sizes: Optional[Tensor] = None,
        **kwargs: Any,
    ) -> Tensor:
        """Match a batch; arguments and result as of :meth:`BatchAssigner.assign`."""
        batch, num_gts = batch_gt.gt_valid.shape
        most = MAX_OVERLAPS_CPU if priors.device.type == 'cpu' else MAX_OVERLAPS
        step = max(1, most // (num_gts * len(priors)))
        crossing = None
        if self.ignore_cross_boundary:
            assert img_sizes is not None
            beyond = (priors[:, 2:] > img_sizes[:, None]).any(-1)  # (B, N)
            crossing = beyond | (priors[:, :2] < 0).any(-1)
        images = [slice(i, i + step) for i in range(0, batch, step)]
        assigned_gt_inds = torch.cat(
            [self._match(priors, batch_gt, one, None if crossing is None else crossing[one]) for one in images]
        )
        if batch_gt_ignore is not None and self.ignore_iof_thr > 0:
            # Regions that are not valid have no area, and cover nothing.
            share = torch.stack(
                [box_iou(priors[:, None], regions, 'iof').amax(1) for regions in batch_gt_ignore.gt_bboxes]
            )  # (B, N)
            covered = (share >= self.ignore_iof_thr) & (assigned_gt_inds == BACKGROUND)
            assigned_gt_inds = assigned_gt_inds.masked_fill(covered, IGNORED)
        return assigned_gt_inds if crossing is None else assigned_gt_inds.masked_fill(crossing, IGNORED)

    def _match(self, priors: Tensor, batch_gt: BatchGTInstances, images: slice, crossing: Optional[Tensor]) -> Tensor:
        # Padding without area overlaps nothing.
        gt_bboxes = batch_gt.gt_bboxes[images].masked_fill(~batch_gt.gt_valid[images, :, None], 0)
        overlaps = box_iou(gt_bboxes[:, :, None], priors)  # (b, M, N)
        if crossing is not None:
            # Out before the matching: an object whose best prior crosses the border takes its next best.
            overlaps.masked_fill_(crossing[:, None], 0)
        best, gt_inds = overlaps.max(1)  # (b, N)
        assigned_gt_inds = bipartite_match(overlaps, gt_inds)
        positive = (assigned_gt_inds < 0) & (best >= self.pos_iou_thr)
        return torch.where(positive, gt_inds, assigned_gt_inds)
