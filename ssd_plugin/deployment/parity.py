"""Compare what two detectors find in the same images, detection by detection."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from ssd_plugin.box_ops import box_iou


class Tolerances(NamedTuple):
    """How far an exported file may be from its detector.

    Attributes:
        box: Of a coordinate, in pixels of the original image.
        score: Of a score.
        ap: Of every metric of the set.
    """

    box: float = 1e-2
    score: float = 1e-3
    ap: float = 1e-3


# Two boxes of a class that overlap so much are one, moved: what suppression tips overlaps less as a rule.
_SAME = 0.9
# Boxes whose overlap is this close to the threshold of suppression may go either way by rounding. Score voting moves
# them afterwards: of 5228 pairs on BCCD that overlapped by 0.58 to 0.62 the overlap changed by up to 0.24.
_EDGE, _VOTED_EDGE = 1e-3, 0.25
# A file that suppresses otherwise tips many: more than these, or this share of the detections.
_MOST_TIPPED, _TIPPED_SHARE = 5, 1e-3


@dataclass
class Worst:
    """The largest of some differences, and where it was met."""

    value: float = 0.0
    image: str = ''

    def update(self, values: Tensor, image: str) -> None:
        """Note the largest of (K,) differences in an image, if it is larger; what is no number is infinite."""
        largest = float(values.nan_to_num(nan=torch.inf).max()) if len(values) else 0.0
        if largest > self.value:
            self.value, self.image = largest, image


@dataclass
class Comparison:
    """Differences of all images so far.

    Suppression and thresholds decide, and rounding can tip a decision: a detection that one side alone has counts as a
    difference of its score to the least score kept in that image; where its overlap with another one is the threshold
    of suppression but for rounding, and so is what it suppresses in turn, it is counted in ``tipped`` alone. Many of
    these are a fault.

    Attributes:
        tolerances: Pairs of detections within these are the same.
        test_cfg: As of :class:`~ssd_plugin.deployment.metadata.FileMetadata`.
        images: Their number.
        detections: Number of the reference's.
        tipped: Number of those that rounding gave to one side alone.
        box: Largest difference of a coordinate, pixels.
        score: Largest difference of a score.
        alone: Largest difference of a detection that one side alone has, of its score to the least one kept.
    """

    tolerances: Tolerances
    test_cfg: dict[str, Any]
    images: int = 0
    detections: int = 0
    tipped: int = 0
    box: Worst = field(default_factory=Worst)
    score: Worst = field(default_factory=Worst)
    alone: Worst = field(default_factory=Worst)

    def add(self, reference: InstanceData, found: InstanceData, image: str) -> None:
        """Compare the detections in one image.

        Args:
            reference: ``bboxes`` (D, 4), ``scores`` and ``labels`` (D,) of the detector.
            found: Of the exported file.
            image: Its name.
        """
        self.images += 1
        self.detections += len(reference)
        box = (reference.bboxes[:, None] - found.bboxes).abs().amax(2)  # (D, D')
        score = (reference.scores[:, None] - found.scores).abs()
        rivals = self._rivals(reference, found)
        overlap = box_iou(reference.bboxes[:, None], found.bboxes)
        near = (box <= self.tolerances.box) | (overlap >= _SAME)
        near &= reference.labels[:, None] == found.labels
        cost = torch.where(near, box / self.tolerances.box + score / self.tolerances.score, torch.inf)
        rows = torch.zeros(0, dtype=torch.int64)
        columns = rows
        if cost.numel():
            best, back = cost.argmin(1), cost.argmin(0)
            here = torch.arange(len(reference))
            rows = here[(back[best] == here) & cost[here, best].isfinite()]
            columns = best[rows]
        self.box.update(box[rows, columns], image)
        self.score.update(score[rows, columns], image)

        alone = [torch.ones(len(side), dtype=torch.bool) for side in (reference, found)]
        alone[0][rows] = alone[1][columns] = False
        threshold = self.test_cfg['nms']['iou_threshold']
        margin = _VOTED_EDGE if self.test_cfg.get('score_voting') else _EDGE
        edge = rivals & ((overlap - threshold).abs() <= margin)
        beyond = rivals & (overlap > threshold - margin)
        tipped = [alone[0] & edge.any(1), alone[1] & edge.any(0)]
        # What such a detection suppresses appears on the other side.
        freed = [alone[0] & (beyond & tipped[1]).any(1), alone[1] & (beyond & tipped[0][:, None]).any(0)]
        for side, lone, on_edge, by_edge in zip((reference, found), alone, tipped, freed):
            self.tipped += int((on_edge | by_edge).sum())
            self.alone.update(side.scores[lone & ~on_edge & ~by_edge] - self._least(reference, found), image)

    def _rivals(self, reference: InstanceData, found: InstanceData) -> Tensor:
        """Tell which pairs (D, D') exclude each other in NMS if they overlap."""
        if self.test_cfg['nms'].get('class_agnostic', False):
            return torch.ones(len(reference), len(found), dtype=torch.bool)
        return reference.labels[:, None] == found.labels

    def _least(self, reference: InstanceData, found: InstanceData) -> float:
        """Give the least score that both sides kept: below a full quota, that of its last detection."""
        quota = self.test_cfg['max_per_img']
        full = [float(side.scores.min()) for side in (reference, found) if 0 < quota <= len(side)]
        return max([self.test_cfg['score_thr'], *full])

    def rows(self) -> list[tuple[str, str, str, str]]:
        """List what was compared: name, difference, how much is allowed, the worst image."""
        kinds = (
            ('box (pixels)', self.box, self.tolerances.box),
            ('score', self.score, self.tolerances.score),
            ('found by one alone (score)', self.alone, self.tolerances.score),
        )
        return [(name, f'{worst.value:.2g}', f'{allowed:g}', worst.image) for name, worst, allowed in kinds]

    def fault(self) -> str:
        """Say in a few words what differs too much, or nothing."""
        for worst, allowed, what in (
            (self.alone, self.tolerances.score, 'a detection is found by one side alone, its score above the least by'),
            (self.box, self.tolerances.box, 'a box differs by so many pixels:'),
            (self.score, self.tolerances.score, 'a score differs by'),
        ):
            if worst.value > allowed:
                return f'{worst.image}: {what} {worst.value:.3g}, expected at most {allowed:g}'
        most = max(_MOST_TIPPED, int(_TIPPED_SHARE * self.detections))
        if self.tipped > most:
            return f'{self.tipped} detections went the other way in suppression, expected at most {most}'
        return ''
