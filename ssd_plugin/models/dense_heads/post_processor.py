"""From raw outputs to detections."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

import torch
from torch import Tensor

from ssd_plugin.models.layers.nms import batched_nms
from ssd_plugin.models.task_modules.assigners.batch_gt_instances import sizes_of

from .candidates import Candidates, best_of_groups, select_candidates
from .levels import LevelLogits

# Pairs of an image looked at first: the survivors of the best so many nearly always fill its quota.
FIRST_PAIRS = 1024

KEYS = ('score_thr', 'nms', 'nms_pre_per_class', 'nms_pre', 'min_bbox_size', 'max_per_img')


class SSDPostProcessor(NamedTuple):
    """The steps after the network; built from a ``test_cfg``.

    ``test_cfg`` holds ``score_thr``, ``nms=dict(type='nms', iou_threshold=...)``, ``max_per_img`` and one of

    * ``nms_pre_per_class``: the best so many of every class over all levels (the authors': 400);
    * ``nms_pre``: the best so many of every level over all classes (mmdet's: 1000).

    Attributes:
        coder: Decodes deltas; its ``clip_border`` says whether boxes are clipped before suppression (mmdet) or last.
        score_thr: Pairs must score more.
        iou_threshold: Of the suppression.
        max_per_img: Detections per image.
        nms_pre_per_class: See above; None = not used.
        nms_pre: See above; None = not used.
        min_bbox_size: Drop boxes not wider and higher than this; None = keep all.

    Source: spec section 7.
    """

    coder: Any
    score_thr: float
    iou_threshold: float
    max_per_img: int
    nms_pre_per_class: Optional[int]
    nms_pre: Optional[int]
    min_bbox_size: Optional[float]

    @classmethod
    def from_cfg(cls, cfg: Mapping[str, Any], coder: Any) -> 'SSDPostProcessor':
        """Read a ``test_cfg``; what is missing has the authors' value.

        Raises:
            ValueError: An unknown key or kind of suppression, or both ways to choose candidates.
        """
        unknown = set(cfg).difference(KEYS)
        nms = dict(cfg.get('nms', dict(type='nms')))
        if unknown or nms.pop('type', 'nms') != 'nms' or set(nms) - {'iou_threshold'}:
            raise ValueError(
                f"test_cfg={dict(cfg)}: expected some of {KEYS}, with nms=dict(type='nms', iou_threshold=...)"
            )
        if 'nms_pre' in cfg and 'nms_pre_per_class' in cfg:
            raise ValueError(f'test_cfg={dict(cfg)}: nms_pre and nms_pre_per_class exclude each other')
        return cls(
            coder=coder,
            score_thr=cfg.get('score_thr', 0.01),
            iou_threshold=nms.get('iou_threshold', 0.45),
            max_per_img=cfg.get('max_per_img', 200),
            nms_pre_per_class=None if 'nms_pre' in cfg else cfg.get('nms_pre_per_class', 400),
            nms_pre=cfg.get('nms_pre'),
            min_bbox_size=cfg.get('min_bbox_size'),
        )

    def __call__(
        self,
        logits: LevelLogits,
        deltas: Tensor,
        priors: Tensor,
        batch_img_metas: Sequence[dict],
        rescale: bool = False,
        with_nms: bool = True,
    ) -> tuple[Tensor, Candidates, list[int]]:
        """Detections of a batch.

        Args:
            logits: Of B images and N default boxes.
            deltas: (B, N, 4) float32.
            priors: (N, 4) default boxes, xyxy pixels.
            batch_img_metas: ``img_shape`` and, to rescale, ``scale_factor`` of every image.
            rescale: Boxes in pixels of the photograph instead of the network's input.
            with_nms: False returns the candidates.

        Returns:
            Boxes (D, 4), what they are, ordered by image and then best first, and how many there are in every image.
        """
        images = deltas.shape[0]
        sizes = sizes_of(batch_img_metas, deltas.device)
        # All pairs are looked at only where the first ones do not fill an image.
        for pairs_per_img in (FIRST_PAIRS, 0) if with_nms and self.max_per_img > 0 else (0,):
            boxes, found, left_out = self._candidates(logits, deltas, priors, sizes, pairs_per_img)
            if with_nms:
                kept = batched_nms(boxes, found, self.iou_threshold, self.max_per_img, images)
                boxes, found = boxes.index_select(0, kept), found.pick(kept)
            counts = torch.bincount(found.image, minlength=images)
            if left_out is None or not (left_out & (counts < self.max_per_img)).any():
                break
        if not self.coder.clip_border:
            boxes = _clip(boxes, found.image, sizes)
        if rescale:
            factors = torch.tensor([tuple(meta['scale_factor'])[:2] * 2 for meta in batch_img_metas])
            boxes = boxes / factors.to(boxes).index_select(0, found.image)
        return boxes, found, counts.tolist()

    def _candidates(
        self, logits: LevelLogits, deltas: Tensor, priors: Tensor, sizes: Tensor, pairs_per_img: int
    ) -> tuple[Tensor, Candidates, Optional[Tensor]]:
        """Decoded boxes of the candidates, the candidates, and what :func:`select_candidates` says is left out."""
        found, left_out = select_candidates(logits, self.score_thr, pairs_per_img)
        limit = self.nms_pre if self.nms_pre_per_class is None else self.nms_pre_per_class
        assert limit is not None
        if len(found.score) > limit:
            found = best_of_groups(found, self._groups(found, logits), limit)
        boxes = self.coder.decode(priors.index_select(0, found.prior), deltas[found.image, found.prior])
        if self.coder.clip_border:
            boxes = _clip(boxes, found.image, sizes)
        if self.min_bbox_size is not None:
            large = (boxes[:, 2:] - boxes[:, :2] > self.min_bbox_size).all(1).nonzero()[:, 0]
            boxes, found = boxes[large], found.pick(large)
        return boxes, found, left_out

    def _groups(self, found: Candidates, logits: LevelLogits) -> Tensor:
        """(K,) number of the class, or the level, of each candidate, of which the best are taken."""
        if self.nms_pre is None:
            return found.image * logits.classes + found.label
        ends = torch.tensor(logits.level_sizes, device=found.prior.device).cumsum(0)
        return found.image * len(ends) + torch.bucketize(found.prior, ends, right=True)


def _clip(boxes: Tensor, image: Tensor, sizes: Tensor) -> Tensor:
    """Boxes (K, 4) cut to the images (K,) they lie in, of sizes (B, 2) W and H."""
    return boxes.clamp(min=0).minimum(torch.cat([sizes, sizes], 1).index_select(0, image))
