"""How well large and small, tall and wide objects of a class are found: the paper's figures 4 and 6."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .average_precision import precision_of_objects
from .evaluation import Evaluation

#: Bands of the area and of the aspect ratio (width / height), smallest first.
BANDS = {'area': ('XS', 'S', 'M', 'L', 'XL'), 'aspect ratio': ('XT', 'T', 'M', 'W', 'XW')}
# The bands hold 10, 20, 40, 20 and 10 percent of the objects of a class.
_PERCENTILES = (10, 30, 70, 90)


class Sensitivity(NamedTuple):
    """Normalised AP at an IoU of 0.5; NaN where there is no object.

    Attributes:
        normal: The number of objects that every band of every class is normalised to.
        overall: (C,) of all objects.
        bands: (C, 5) of each band of :data:`BANDS`, by characteristic.
        spread: (C, 5) standard error of it, by characteristic.
    """

    normal: float
    overall: NDArray[np.float64]
    bands: dict[str, NDArray[np.float64]]
    spread: dict[str, NDArray[np.float64]]


def measure_sensitivity(evaluation: Evaluation) -> Sensitivity:
    """Measure every class and band.

    A band has its own objects and all wrong detections of the class; those that find objects of other bands count
    neither way.

    Args:
        evaluation: The detections, matched.

    Source: paper, figures 4 and 6; Hoiem, Chodpathumwan, Dai: Diagnosing Error in Object Detectors, ECCV 2012,
        sections 3.1 and 3.2.
    Differs: they normalise to 0.15 objects an image, "roughly equal to the average" of VOC2007's classes; here it is
    the average over the classes of the data set itself.
    """
    objects, found = evaluation.objects, evaluation.detections
    classes = len(evaluation.classes)
    number = np.bincount(objects.label[~objects.ignored], minlength=classes)
    normal = float(number[number > 0].mean()) if number.any() else 0.0
    overall = np.full(classes, np.nan)
    bands = {name: np.full((classes, 5), np.nan) for name in BANDS}
    spread = {name: np.full((classes, 5), np.nan) for name in BANDS}
    for label in np.flatnonzero(number):
        mine = np.flatnonzero(~objects.ignored & (objects.label == label))
        match = found.match[(found.label == label) & ~found.ignored]
        overall[label] = precision_of_objects(match >= 0, len(mine), normal).mean()
        width, height = (objects.bbox[mine, 2:] - objects.bbox[mine, :2]).T
        for name, values in (('area', width * height), ('aspect ratio', width / np.maximum(height, 1e-9))):
            band_of = band_numbers(values)
            for band in range(5):
                chosen = mine[band_of == band]
                if len(chosen):
                    kept = match[(match < 0) | np.isin(match, chosen)]
                    precisions = precision_of_objects(kept >= 0, len(chosen), normal)
                    bands[name][label, band] = precisions.mean()
                    spread[name][label, band] = precisions.std() / np.sqrt(len(chosen))
    return Sensitivity(normal, overall, bands, spread)


def band_numbers(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Divide the objects of a class into the lowest 10 percent, the next 20, 40 and 20, and the highest 10.

    Args:
        values: (M,) areas or aspect ratios, M > 0.

    Returns:
        (M,) 0 to 4. Equal values are in one band.
    """
    return np.searchsorted(np.percentile(values, _PERCENTILES), values)
