"""Say what is wrong with the detections that are wrong, and what each kind of mistake costs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask

from .average_precision import average_precision
from .evaluation import IOU, Boxes, Evaluation

#: Below this overlap a detection has nothing to do with an object. Source: Hoiem et al., section 2.
TOUCH = 0.1
#: What a detection can be; of wrong ones the first that fits. The last kind is that of objects.
KINDS = ('correct', 'localisation', 'duplicate', 'confusion', 'background', 'missed')
_CORRECT, _LOCALISATION, _DUPLICATE, _CONFUSION, _BACKGROUND, _MISSED = range(6)
_IGNORED = -1


@dataclass(frozen=True)
class Errors:
    """The mistakes of a detector.

    Attributes:
        kinds: (D,) index into :data:`KINDS` of each detection, -1 for those that count neither way.
        counts: (C, 6) by class: of the N best detections, where N is the number of objects of the class, how many are
            of which kind; and how many objects no detection finds, whatever its score.
        objects: (C,) number of objects, N.
        gains: (6,) by how much the mean AP50 would grow if the mistakes of a kind were left out, 0 for ``correct``.
    """

    kinds: NDArray[np.int64]
    counts: NDArray[np.int64]
    objects: NDArray[np.int64]
    gains: NDArray[np.float64]


def find_errors(evaluation: Evaluation) -> Errors:
    """Name the mistakes, at an IoU of 0.5.

    A detection that finds no object of its class is, the first that fits:

    - localisation: it overlaps an object of its class by 0.1 to 0.5;
    - duplicate: it overlaps one by 0.5 or more, which a better scored detection has found;
    - confusion: it overlaps an object of another class by 0.1 or more;
    - background: anything else.

    An object is missed when no detection of its class finds it, whatever the score.

    Args:
        evaluation: The detections, matched.

    Returns:
        The mistakes. ``counts`` has the N best detections of a class of N objects, because a perfect detector would
        make no mistake among them; ``gains`` leaves out all detections of a kind, or the missed objects, and takes the
        area under the curve of precision and recall.

    Source: Hoiem, Chodpathumwan, Dai: Diagnosing Error in Object Detectors, ECCV 2012, section 2 and figure 2.
    Differs: they count duplicates as localisation, and divide confusion by whether the classes are alike.
    """
    objects, found = evaluation.objects, evaluation.detections
    kinds = _kinds_of(objects, found)
    number = np.bincount(objects.label[~objects.ignored], minlength=len(evaluation.classes))
    missed = ~objects.ignored & (objects.match < 0)
    counts = np.zeros((len(evaluation.classes), len(KINDS)), int)
    gained: list[list[float]] = []
    for label, total in enumerate(number):
        mine = kinds[(found.label == label) & (kinds != _IGNORED)]
        counts[label, :_MISSED] = np.bincount(mine[:total], minlength=_MISSED)
        counts[label, _MISSED] = (missed & (objects.label == label)).sum()
        if total:
            before = average_precision(mine == _CORRECT, total)
            gained.append([0.0])
            for kind in (_LOCALISATION, _DUPLICATE, _CONFUSION, _BACKGROUND):
                gained[-1].append(average_precision(mine[mine != kind] == _CORRECT, total) - before)
            gained[-1].append(average_precision(mine == _CORRECT, total - counts[label, _MISSED]) - before)
    return Errors(kinds, counts, number, np.mean(gained or [[0.0] * len(KINDS)], 0))


def overlaps(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the IoU of each pair as pycocotools does.

    Args:
        boxes: (N, 4) xyxy.
        others: (M, 4) xyxy.

    Returns:
        (N, M).
    """
    if not len(boxes) or not len(others):
        return np.zeros((len(boxes), len(others)))
    sides = [np.hstack([part[:, :2], part[:, 2:] - part[:, :2]]) for part in (boxes, others)]
    return mask.iou(*sides, [0] * len(others))


def _kinds_of(objects: Boxes, found: Boxes) -> NDArray[np.int64]:
    kinds = np.full(len(found), _BACKGROUND)
    for image in np.unique(found.image):
        here = np.flatnonzero(found.image == image)
        gt_inds = np.flatnonzero((objects.image == image) & ~objects.ignored)
        overlap = overlaps(found.bbox[here], objects.bbox[gt_inds])
        same = found.label[here][:, None] == objects.label[gt_inds]
        own = np.where(same, overlap, 0).max(1, initial=0)
        other = np.where(same, 0, overlap).max(1, initial=0)
        wrong = [(own >= TOUCH) & (own < IOU), own >= IOU, other >= TOUCH]
        kinds[here] = np.select(wrong, [_LOCALISATION, _DUPLICATE, _CONFUSION], _BACKGROUND)
    kinds[found.match >= 0] = _CORRECT
    kinds[found.ignored] = _IGNORED
    return kinds
