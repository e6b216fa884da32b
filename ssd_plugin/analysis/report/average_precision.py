"""Average precision of ranked detections, also normalised so that classes and sizes can be compared."""

from typing import Optional

import numpy as np
from numpy.typing import NDArray


def precision_of_objects(
    correct: NDArray[np.bool_], objects: int, normal: Optional[float] = None
) -> NDArray[np.float64]:
    """Give the interpolated precision at which each object is found.

    Args:
        correct: (D,) whether a detection is right, the best scored first.
        objects: How many there are to be found.
        normal: In whose number's place the objects count in the precision, so that rare and frequent ones can be
            compared: R * normal / (R * normal + F), with R the recall and F the number of wrong detections so far.
            None = their own number, which is the usual precision.

    Returns:
        (objects,) with 0 for those that are not found.

    Source: Hoiem, Chodpathumwan, Dai: Diagnosing Error in Object Detectors, ECCV 2012, section 3.2.
    """
    right = np.cumsum(correct) / max(objects, 1) * (objects if normal is None else normal)
    wrong = np.cumsum(~correct)
    precision = right / np.maximum(right + wrong, np.finfo(float).tiny)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    found = best_from_here[correct]
    return np.pad(found, (0, objects - len(found)))


def average_precision(correct: NDArray[np.bool_], objects: int, normal: Optional[float] = None) -> float:
    """Average the precision over the objects: the area under the curve, as VOC has computed it since 2010.

    Args:
        correct: See :func:`precision_of_objects`, as for the next two.
        objects: How many there are to be found.
        normal: In whose number's place they count.

    Returns:
        0 to 1; 0 without objects.
    """
    return float(precision_of_objects(correct, objects, normal).mean()) if objects else 0.0
