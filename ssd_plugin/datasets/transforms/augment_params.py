"""Draw the parameters of the augmentation, apart from any pixel, as frozen records.

For given arguments every draw takes a fixed number of values from numpy's global generator. So the step-by-step
transforms and ``SSDAugment``, which call these functions in the same order, see the same augmentation under the same
random state. All arithmetic is in double precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]

#: mmcv's names of the five interpolations, each drawn with probability 0.2.
INTERPOLATIONS = ('bilinear', 'area', 'nearest', 'bicubic', 'lanczos')


@dataclass(frozen=True)
class Distortion:
    """One photometric distortion; None stands for an operation that is left out.

    Attributes:
        contrast_last: Contrast comes after saturation and hue instead of before them.
        brightness: Added to every channel, in 0..255 levels.
        contrast: Factor of every channel.
        saturation: Factor of S in 8-bit HSV.
        hue: Added to H in OpenCV's 8-bit units (180 = full circle).
    """

    contrast_last: bool
    brightness: Optional[float]
    contrast: Optional[float]
    saturation: Optional[float]
    hue: Optional[float]


@dataclass(frozen=True)
class Expansion:
    """A larger canvas and the place of the image on it, in whole pixels."""

    canvas_width: int
    canvas_height: int
    left: int
    top: int


@dataclass(frozen=True)
class PixelRectangle:
    """A rectangle of whole pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Crop:
    """A rectangle in coordinates that run from 0 to 1 over the image's width and height."""

    x1: float
    y1: float
    x2: float
    y2: float

    def pixels(self, width: int, height: int) -> PixelRectangle:
        """Compute the pixels to cut.

        Differs: at least one pixel is cut, where Caffe asks OpenCV for an empty image if a side has one or two pixels.

        Args:
            width: Image width in pixels.
            height: Image height in pixels.

        Returns:
            The rectangle, wholly inside the image.

        Source: section 2.2 of the paper; weiliu89/caffe: src/caffe/data_transformer.cpp (CropImage truncates corner
        and size separately).
        """
        return PixelRectangle(
            left=int(self.x1 * width),
            top=int(self.y1 * height),
            width=max(1, int((self.x2 - self.x1) * width)),
            height=max(1, int((self.y2 - self.y1) * height)),
        )


WHOLE = Crop(0.0, 0.0, 1.0, 1.0)


def _between(uniform: Any, bounds: Range) -> Any:
    return bounds[0] + (bounds[1] - bounds[0]) * uniform


def draw_distortion(
    prob: float, brightness_delta: float, contrast_range: Range, saturation_range: Range, hue_delta: float
) -> Distortion:
    """Draw a photometric distortion; nine values of the generator.

    Args:
        prob: Probability of each of the four operations, independently.
        brightness_delta: Brightness is uniform in +-delta levels.
        contrast_range: Bounds of the uniform contrast factor.
        saturation_range: Bounds of the uniform saturation factor.
        hue_delta: Hue is uniform in +-delta units of 2 degrees.

    Returns:
        The distortion.

    Source: weiliu89/caffe: src/caffe/util/im_transforms.cpp (ApplyDistort).
    """
    order, b, brightness, c, contrast, s, saturation, h, hue = np.random.random(9).tolist()
    return Distortion(
        contrast_last=order <= 0.5,
        brightness=_between(brightness, (-brightness_delta, brightness_delta)) if b < prob else None,
        contrast=_between(contrast, contrast_range) if c < prob else None,
        saturation=_between(saturation, saturation_range) if s < prob else None,
        hue=_between(hue, (-hue_delta, hue_delta)) if h < prob else None,
    )


def draw_expansion(width: int, height: int, prob: float, ratio_range: Range) -> Optional[Expansion]:
    """Draw the "zoom out"; four values of the generator.

    Args:
        width: Image width in pixels.
        height: Image height in pixels.
        prob: Probability of expanding at all.
        ratio_range: Bounds of the uniform ratio of canvas to image, the same for both axes; at least 1.

    Returns:
        The expansion, or None where the image stays as it is.

    Source: section 3.6 of the paper; weiliu89/caffe: src/caffe/data_transformer.cpp (ExpandImage).
    """
    apply, ratio, x, y = np.random.random(4).tolist()
    if apply >= prob:
        return None
    ratio = _between(ratio, ratio_range)
    canvas_width, canvas_height = int(width * ratio), int(height * ratio)
    return Expansion(canvas_width, canvas_height, int(x * (canvas_width - width)), int(y * (canvas_height - height)))


def _sampled_rectangles(count: int, scale_range: Range, aspect_range: Range) -> NDArray[np.float64]:
    uniform = np.random.random((4, count))
    scale = _between(uniform[0], scale_range)
    # The ratio is drawn first and clamped afterwards, so its ends collect probability when the scale is large.
    limit = scale * scale
    aspect = np.minimum(np.maximum(_between(uniform[1], aspect_range), limit), 1 / limit)
    root = np.sqrt(aspect)
    size = np.minimum(np.stack((scale * root, scale / root)), 1)  # (2, count): width, height
    corner = uniform[2:] * (1 - size)
    return np.concatenate((corner, np.minimum(corner + size, 1)))  # (4, count): x1, y1, x2, y2


def _best_iou(rectangles: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    x1, y1, x2, y2 = rectangles  # (count,) each
    left, top, right, bottom = boxes.T[:, :, None]  # (M, 1) each: the long axis comes last, which is the fast one
    overlap_width = np.maximum(np.minimum(x2, right) - np.maximum(x1, left), 0)
    overlap = np.maximum(np.minimum(y2, bottom) - np.maximum(y1, top), 0)
    overlap *= overlap_width  # (M, count)
    union = (x2 - x1) * (y2 - y1) + (right - left) * (bottom - top) - overlap
    return np.divide(overlap, union, out=union).max(axis=0)


def draw_crop(
    boxes: NDArray[Any],
    width: int,
    height: int,
    min_ious: Sequence[float],
    trials: int,
    scale_range: Range,
    aspect_range: Range,
) -> Crop:
    """Draw the crop of the batch sampler.

    Besides the whole image there is one sampler for each entry of ``min_ious``. A sampler tries up to ``trials``
    rectangles and yields the first whose IoU with any one box reaches its bound. All samplers run, and one of the
    rectangles found, the whole image among them, is picked with equal probability.

    The trials of all samplers are drawn at once: they are independent, so the first one that meets the bound has the
    same distribution as if drawing stopped there.

    Args:
        boxes: (M, 4) xyxy in pixels, every object of the image, unclipped, with positive areas; ignored ones too.
        width: Image width in pixels.
        height: Image height in pixels.
        min_ious: (samplers,) bounds on the IoU of a rectangle with the box it overlaps most; 0 takes any rectangle.
        trials: Rectangles tried by a sampler.
        scale_range: Bounds of the uniform square root of the area, as a fraction of the image.
        aspect_range: Bounds of the uniform width-to-height ratio relative to the image's own; clamped afterwards to
            [scale^2, 1 / scale^2], so that the rectangle fits.

    Returns:
        The crop; ``WHOLE`` for an image without boxes.

    Source: section 2.2 of the paper; weiliu89/caffe: src/caffe/util/sampler.cpp and
    src/caffe/layers/annotated_data_layer.cpp.
    """
    if len(boxes) == 0:
        return WHOLE
    rectangles = _sampled_rectangles(len(min_ious) * trials, scale_range, aspect_range)
    normalised = boxes / np.array((width, height, width, height), dtype=np.float64)
    best = _best_iou(rectangles, normalised).reshape(len(min_ious), trials)
    good = best >= np.asarray(min_ious)[:, None]
    found = np.flatnonzero(good.any(axis=1))
    pick = int(np.random.random() * (len(found) + 1))
    if pick == len(found):
        return WHOLE
    sampler = int(found[pick])
    first = int(good[sampler].argmax())
    return Crop(*rectangles[:, sampler * trials + first].tolist())


def draw_interpolation() -> str:
    """Draw one of ``INTERPOLATIONS``; one value of the generator.

    Returns:
        The name.

    Source: weiliu89/caffe: examples/ssd/ssd_pascal.py (interp_mode).
    """
    return INTERPOLATIONS[int(np.random.random() * len(INTERPOLATIONS))]


def draw_flip(prob: float) -> bool:
    """Draw whether the image is mirrored; one value of the generator, used as mmdet's ``RandomFlip`` uses it.

    Args:
        prob: Probability of mirroring.

    Returns:
        True to mirror.
    """
    return bool(np.random.random() < prob)
