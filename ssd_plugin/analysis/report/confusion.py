"""Count which class was taken for which."""

import numpy as np
from numpy.typing import NDArray

from .errors import overlaps
from .evaluation import IOU, Evaluation


def confusion_matrix(evaluation: Evaluation, score_thr: float) -> NDArray[np.int64]:
    """Count each object once, and each detection that scores enough once.

    First the objects that were found as what they are. Then each detection that is left, the best first, takes the
    object of any class that is left and that it overlaps most, from an IoU of 0.5 on. A detection without an object
    is in the row of the background, an object without a detection in its column.

    Args:
        evaluation: The detections, matched.
        score_thr: Detections below are not there.

    Returns:
        (C + 1, C + 1), rows the objects' classes, columns the detections', the background last in both.
    """
    objects, found = evaluation.objects, evaluation.detections
    background = len(evaluation.classes)
    matrix = np.zeros((background + 1, background + 1), int)
    counted = ~found.ignored & (found.score >= score_thr)
    right = found.label[counted & (found.match >= 0)]
    np.add.at(matrix, (right, right), 1)
    left = ~objects.ignored
    left[found.match[counted & (found.match >= 0)]] = False
    for index in np.flatnonzero(counted & (found.match < 0)):
        here = np.flatnonzero(left & (objects.image == found.image[index]))
        overlap = overlaps(found.bbox[[index]], objects.bbox[here])[0]
        if overlap.max(initial=0) >= IOU:
            taken = here[overlap.argmax()]
            left[taken] = False
            matrix[objects.label[taken], found.label[index]] += 1
        else:
            matrix[background, found.label[index]] += 1
    matrix[:, background] += np.bincount(objects.label[left], minlength=background + 1)
    return matrix
