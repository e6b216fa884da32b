"""Choose the best and the worst images, and make them small."""

import base64
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import KINDS
from .evaluation import Image
from .run_data import RunData

_SIDE = 560  # pixels of the longer side
_QUALITY = 78


class DrawnBox(NamedTuple):
    """A box over an image.

    Attributes:
        kind: One of :data:`~.errors.KINDS`; 'missed' is a gt box that nothing finds, 'found' one that is found.
        text: What it is.
        x: Left edge in pixels of the original image, as the next three.
        y: Top edge.
        width: In pixels.
        height: In pixels.
    """

    kind: str
    text: str
    x: float
    y: float
    width: float
    height: float

    @property
    def is_object(self) -> bool:
        """Whether this is a gt box."""
        return self.kind in ('found', 'missed')

    @property
    def told(self) -> str:
        """What it is, in words."""
        return f'{self.text} ({self.kind})'


class Picture(NamedTuple):
    """An image with its gt boxes and detections.

    Attributes:
        name: Of the file.
        image: Its size.
        url: ``data:`` with a small WebP.
        f1: See :func:`image_f1`.
        boxes: What is drawn, gt boxes first.
    """

    name: str
    image: Image
    url: str
    f1: float
    boxes: list[DrawnBox]


def image_f1(run: RunData, score_thr: float) -> NDArray[np.float64]:
    """Compute F1 = 2 right / (objects + detections) of each image, for detections that score enough.

    Returns:
        (images,) NaN where there are neither objects nor such detections.
    """
    objects, found = run.evaluation.objects, run.evaluation.detections
    counted = ~found.ignored & (found.score >= score_thr)
    images = len(run.evaluation.images)
    right = np.bincount(found.image[counted & (found.match >= 0)], minlength=images)
    total = np.bincount(found.image[counted], minlength=images)
    total = total + np.bincount(objects.image[~objects.ignored], minlength=images)
    return np.divide(2 * right, total, out=np.full(images, np.nan), where=total > 0)


def rank_images(f1: NDArray[np.float64], objects: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order the images from worst to best.

    Args:
        f1: (images,), see :func:`image_f1`.
        objects: (images,) how many objects each has: of images alike in F1 those with more go further out.

    Returns:
        Their numbers, without those that have no F1.
    """
    middle = np.where(f1 < 0.5, -objects, objects)
    order = np.lexsort((middle, f1))
    return order[~np.isnan(f1[order])]


def draw(run: RunData, numbers: Sequence[int], score_thr: float) -> list[Picture]:
    """Make pictures of some images.

    Args:
        run: The run.
        numbers: Of the images.
        score_thr: Detections below are left out.
    """
    f1 = image_f1(run, score_thr)
    return [_picture(run, int(number), score_thr, float(f1[number])) for number in numbers]


def _picture(run: RunData, number: int, score_thr: float, f1: float) -> Picture:
    evaluation = run.evaluation
    objects, found = evaluation.objects, evaluation.detections
    shown = np.flatnonzero((found.image == number) & (found.score >= score_thr) & ~found.ignored)
    boxes = []
    for index in np.flatnonzero((objects.image == number) & ~objects.ignored):
        kind = 'found' if objects.match[index] in shown else 'missed'
        boxes.append(_box(kind, evaluation.classes[objects.label[index]], objects.bbox[index]))
    for index in shown[::-1]:  # the best on top
        text = f'{evaluation.classes[found.label[index]]} {found.score[index]:.2f}'
        boxes.append(_box(KINDS[run.errors.kinds[index]], text, found.bbox[index]))
    image = evaluation.images[number]
    return Picture(image.path.rpartition('/')[2], image, _small(image.path), f1, boxes)


def _box(kind: str, text: str, bbox: NDArray[np.float64]) -> DrawnBox:
    left, top, right, bottom = (round(float(edge), 1) for edge in bbox)
    return DrawnBox(kind, text, left, top, round(right - left, 1), round(bottom - top, 1))


def _small(path: str) -> str:
    pixels: Any = cv2.imread(path)
    scale = _SIDE / max(pixels.shape[:2])
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode('.webp', pixels, (cv2.IMWRITE_WEBP_QUALITY, _QUALITY))
    return f'data:image/webp;base64,{base64.b64encode(data.tobytes()).decode()}'
