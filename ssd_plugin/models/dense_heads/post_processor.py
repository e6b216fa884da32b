"""From raw outputs to detections."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from ssd_plugin.box_ops import batched_nms, rank_in_group, score_voting
from ssd_plugin.errors import UserError
from ssd_plugin.mmcv_ops import has_compiled_ops
from ssd_plugin.models.task_modules.assigners import get_img_sizes

from .candidates import Candidates, best_of_groups, best_of_images, select_candidates

# Of a network that has just begun to learn an image may have hundreds of thousands of pairs, and what survives of its
# first ones fills its quota. Of a trained one it seldom has many, or fills its quota: all are suppressed at once.
FIRST_PAIRS, MANY_PAIRS = 1024, 8192

_KEYS = ('score_thr', 'nms', 'nms_pre_per_class', 'nms_pre', 'min_bbox_size', 'max_per_img', 'score_voting')
# Of these mmdet's settings, our suppression knows all; split_thr has no effect on its result.
_NMS_KEYS = {'type', 'iou_threshold', 'class_agnostic', 'split_thr'}


class SSDPostProcessor:
    """The steps after the network, as a ``test_cfg`` says; what it leaves out has the authors' value.

    Args:
        test_cfg: ``score_thr``, ``max_per_img``, ``min_bbox_size`` (drop boxes not wider and higher; None keeps all),
            ``nms`` and one of

            * ``nms_pre_per_class``: the best so many of every class over all levels (the authors': 400);
            * ``nms_pre``: the best so many of every level over all classes (mmdet's: 1000).

            ``nms=dict(type='nms', iou_threshold=..., class_agnostic=...)`` is exact; any other setting, ``soft_nms``
            included, is left to mmcv's ``batched_nms``. With ``score_voting=True`` a detection gets the mean box of all
            candidates that overlap it, see :func:`~ssd_plugin.box_ops.score_voting`.
        bbox_coder: Decodes deltas; its ``clip_border`` says whether boxes are clipped before suppression (mmdet) or
            last (the authors).
        use_sigmoid: Score classes one by one instead of by a softmax with the background.

    Raises:
        UserError: An unknown key, both ways to choose candidates, or a suppression that needs compiled ops.

    Source: docs/fidelity.md section 7.
    """

    def __init__(self, test_cfg: Mapping[str, Any], bbox_coder: Any, use_sigmoid: bool = False) -> None:
        unknown = set(test_cfg).difference(_KEYS)
        if unknown:
            raise UserError(f'test_cfg.{min(unknown)}: unknown, expected some of {_KEYS}')
        if 'nms_pre' in test_cfg and 'nms_pre_per_class' in test_cfg:
            raise UserError('test_cfg.nms_pre: given beside test_cfg.nms_pre_per_class, expected one of the two')
        self.nms = dict(dict(type='nms', iou_threshold=0.45), **test_cfg.get('nms', {}))
        if self.nms['type'] not in ('nms', 'soft_nms'):
            raise UserError(f"test_cfg.nms.type: {self.nms['type']!r}, expected 'nms' or 'soft_nms'")
        self.exact = self.nms['type'] == 'nms' and set(self.nms) <= _NMS_KEYS
        if self.nms['type'] != 'nms' and not has_compiled_ops():
            raise UserError(
                f"test_cfg.nms.type: {self.nms['type']!r} needs mmcv's compiled ops, which mmcv-lite lacks, "
                "expected 'nms', or mmcv in place of mmcv-lite"
            )
        self.coder = bbox_coder
        self.use_sigmoid = use_sigmoid
        self.score_thr: float = test_cfg.get('score_thr', 0.01)
        self.max_per_img: int = test_cfg.get('max_per_img', 200)
        self.min_bbox_size: Optional[float] = test_cfg.get('min_bbox_size')
        self.score_voting: bool = test_cfg.get('score_voting', False)
        self.per_level = 'nms_pre' in test_cfg
        self.nms_pre: int = test_cfg.get('nms_pre', test_cfg.get('nms_pre_per_class', 400))

    def __call__(
        self,
        logits: Sequence[Tensor],
        deltas: Tensor,
        priors: Tensor,
        batch_img_metas: Sequence[dict],
        rescale: bool = False,
        with_nms: bool = True,
    ) -> list[InstanceData]:
        """Detect in a batch.

        Args:
            logits: Per level (B, n, C + 1), or (B, n, C) with sigmoid scores; N priors in all.
            deltas: (B, N, 4) float32.
            priors: (N, 4) xyxy, pixels of the network's input.
            batch_img_metas: ``img_shape`` and, to rescale, ``scale_factor`` of every image.
            rescale: Give boxes in pixels of the original image instead of the network's input.
            with_nms: False gives the candidates.

        Returns:
            Per image ``bboxes`` (D, 4), ``scores`` (D,), ``labels`` (D,), best first.
        """
        batch = len(batch_img_metas)
        img_sizes = get_img_sizes(batch_img_metas, priors.device)
        every = select_candidates(logits, self.score_thr, self.use_sigmoid)
        # With a quota to fill, the best pairs come first; more are looked at while they do not fill it.
        best_decide = with_nms and self.exact and self.max_per_img > 0 and not self.score_voting
        many = len(every.scores) > MANY_PAIRS * batch
        limit = FIRST_PAIRS if best_decide and many else max(1, len(every.scores))
        while True:
            found, left_out = best_of_images(every, limit)
            if 0 < self.nms_pre < len(found.scores):
                found = best_of_groups(found, self._groups(found, logits), self.nms_pre)
            boxes = self.coder.decode(priors[found.prior_inds], deltas[found.img_inds, found.prior_inds])
            if self.coder.clip_border:
                boxes = _clip(boxes, found.img_inds, img_sizes)
            if self.min_bbox_size is not None:
                large = (boxes[:, 2:] - boxes[:, :2] > self.min_bbox_size).all(1).nonzero()[:, 0]
                boxes, found = boxes[large], found.pick(large)
            if with_nms:
                boxes, found = self._suppress(boxes, found)
            counts = torch.bincount(found.img_inds, minlength=batch)
            if left_out is None or not (left_out & (counts[: len(left_out)] < self.max_per_img)).any():
                break
            limit *= 4
        if not self.coder.clip_border:
            boxes = _clip(boxes, found.img_inds, img_sizes)
        if rescale:
            factors = torch.tensor([tuple(meta['scale_factor'])[:2] * 2 for meta in batch_img_metas])
            boxes = boxes / factors.to(boxes)[found.img_inds]
        order = torch.argsort(found.scores, descending=True, stable=True)
        order = order[found.img_inds[order].argsort(stable=True)]
        columns = (part[order].split(counts.tolist()) for part in (boxes, found.scores, found.labels))
        return [InstanceData(bboxes=box, scores=score, labels=label) for box, score, label in zip(*columns)]

    def _groups(self, found: Candidates, logits: Sequence[Tensor]) -> Tensor:
        """Give the group of each candidate, its class or its level, (K,), of which the best are taken."""
        if not self.per_level:
            return found.img_inds * logits[0].shape[-1] + found.labels
        ends = torch.tensor([level.shape[1] for level in logits], device=found.prior_inds.device).cumsum(0)
        return found.img_inds * len(ends) + torch.bucketize(found.prior_inds, ends, right=True)

    def _suppress(self, boxes: Tensor, found: Candidates) -> tuple[Tensor, Candidates]:
        groups = found.img_inds
        if not self.nms.get('class_agnostic', False):
            groups = groups * (int(found.labels.max()) + 1 if len(groups) else 1) + found.labels
        if self.exact:
            kept = batched_nms(boxes, found.scores, groups, self.nms['iou_threshold'])
            detections = found.pick(kept)
        else:
            kept, detections = self._suppress_by_mmcv(boxes, found)
        if self.max_per_img > 0 and len(kept) > self.max_per_img:
            best = (rank_in_group(detections.scores, detections.img_inds) < self.max_per_img).nonzero()[:, 0]
            kept, detections = kept[best], detections.pick(best)
        if self.score_voting:
            return score_voting(boxes, found.scores, groups, kept), detections
        return boxes[kept], detections

    def _suppress_by_mmcv(self, boxes: Tensor, found: Candidates) -> tuple[Tensor, Candidates]:
        """Give the rows that live, and these with their new scores: soft suppression lowers them."""
        from mmcv.ops import batched_nms as mmcv_batched_nms

        config = dict(self.nms)
        agnostic = config.pop('class_agnostic', False)
        kept, scores = [found.img_inds[:0]], [found.scores[:0]]
        for i in torch.unique(found.img_inds):
            rows = (found.img_inds == i).nonzero()[:, 0]
            image = found.pick(rows)
            dets, living = mmcv_batched_nms(boxes[rows], image.scores, image.labels, config, class_agnostic=agnostic)
            kept.append(rows[living])
            scores.append(dets[:, 4])
        return torch.cat(kept), found.pick(torch.cat(kept))._replace(scores=torch.cat(scores))


def _clip(boxes: Tensor, img_inds: Tensor, img_sizes: Tensor) -> Tensor:
    """Clip boxes (K, 4) to the images (K,) they lie in, of sizes (B, 2) W and H."""
    return boxes.clamp(min=0).minimum(torch.cat([img_sizes, img_sizes], 1)[img_inds])
