"""Render a crop of a virtual canvas, with the image somewhere on it, straight at the network's input size.

The canvas is never made: only the visible part of the image is resized, and the rest of the output is filled.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from mmcv.image.geometric import cv2_interp_codes
from numpy.typing import NDArray

from .augment_params import Distortion
from .photometric import distort

Image = NDArray[np.uint8]
# Output edges tried for the one that meets a whole source pixel best. Each costs one more output pixel of filler.
EDGES_TRIED = 4


@dataclass(frozen=True)
class Span:
    """Mapping of one axis of the visible part to the output.

    Attributes:
        visible: First and last + 1 visible pixel of the image, in the rectangle's pixels.
        source: The same widened by filler, so that its ends meet output pixels.
        target: First and last + 1 output pixel that ``source`` is resized to.
    """

    visible: tuple[int, int]
    source: tuple[int, int]
    target: tuple[int, int]

    @property
    def padding(self) -> tuple[int, int]:
        """Filler before and after the visible pixels, in the rectangle's pixels."""
        return self.visible[0] - self.source[0], self.source[1] - self.visible[1]

    def inner(self) -> slice:
        """Give the output pixels that the visible pixels touch, counted from the start of ``target``."""
        step = (self.source[1] - self.source[0]) / (self.target[1] - self.target[0])
        before, after = self.padding
        return slice(math.floor(before / step), self.target[1] - self.target[0] - math.floor(after / step))


def _best_edge(edges: range, step: float) -> int:
    return min(edges, key=lambda edge: abs(edge * step - round(edge * step)))


def fit_span(start: int, stop: int, size: int, output: int) -> Span:
    """Choose what to resize on one axis.

    The ends of the visible pixels fall between output pixels. They are moved outwards, over filler, to an output edge
    that nearly coincides with a source edge: what is off is the rounding there, half a source pixel at the most.

    Args:
        start: First visible pixel, in the rectangle's pixels.
        stop: Last visible pixel + 1; greater than ``start``.
        size: Length of the rectangle in pixels.
        output: Length of the output in pixels.

    Returns:
        The span; exact where the rectangle shows no filler or is enlarged.
    """
    if size <= output:
        return Span((start, stop), (0, size), (0, output))
    step = size / output
    first, last = 0, output
    if start > 0:
        edge = math.floor(start / step)
        first = _best_edge(range(edge, max(-1, edge - EDGES_TRIED), -1), step)
    if stop < size:
        edge = math.ceil(stop / step)
        last = _best_edge(range(edge, min(output + 1, edge + EDGES_TRIED)), step)
    return Span((start, stop), (round(first * step), round(last * step)), (first, last))


def _resize(image: Image, size: tuple[int, int], interpolation: str) -> Image:
    if interpolation != 'lanczos':
        return cv2.resize(image, size, interpolation=cv2_interp_codes[interpolation])
    # OpenCV's Lanczos takes half the time in single precision; the result differs by a level at the most.
    precise = cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_LANCZOS4)
    return cv2.addWeighted(precise, 1, precise, 0, 0, dtype=cv2.CV_8U)  # rounds and saturates


def render(
    image: Image,
    place: tuple[int, int],
    rectangle: tuple[int, int],
    scale: tuple[int, int],
    interpolation: str,
    fill: tuple[int, int, int],
    distortion: Distortion,
) -> Image:
    """Resize a rectangle with an image in it, or a part of one, to the output size.

    The image, never the filler, is distorted: before or after it is resized, whichever touches fewer pixels. The two
    orders differ by rounding, and in the output pixels where image and filler blend.

    Args:
        image: (H, W, 3) uint8 BGR.
        place: Horizontal and vertical position of the image's corner in the rectangle, in pixels; negative where the
            rectangle cuts the image.
        rectangle: (width, height) of the rectangle in pixels.
        scale: (width, height) of the output in pixels.
        interpolation: mmcv's name.
        fill: Colour around the image, BGR.
        distortion: Change of the image's colours.

    Returns:
        (scale[1], scale[0], 3) uint8 BGR, contiguous; never ``image`` itself.
    """
    height, width = image.shape[:2]
    left, top = max(place[0], 0), max(place[1], 0)
    right, bottom = min(place[0] + width, rectangle[0]), min(place[1] + height, rectangle[1])
    if left >= right or top >= bottom:
        return np.full((scale[1], scale[0], 3), fill, dtype=np.uint8)
    visible = image[top - place[1] : bottom - place[1], left - place[0] : right - place[0]]
    across, down = fit_span(left, right, rectangle[0], scale[0]), fit_span(top, bottom, rectangle[1], scale[1])
    size = (across.target[1] - across.target[0], down.target[1] - down.target[0])

    inner = (down.inner(), across.inner())
    shrinks = visible.shape[0] * visible.shape[1] > (inner[0].stop - inner[0].start) * (inner[1].stop - inner[1].start)
    if not shrinks:
        visible = distort(visible, distortion)
    if any(across.padding + down.padding):
        visible = cv2.copyMakeBorder(visible, *down.padding, *across.padding, cv2.BORDER_CONSTANT, value=fill)
    resized = _resize(visible, size, interpolation)
    if shrinks:
        resized[inner] = distort(resized[inner], distortion)
    if size == scale:
        return resized
    around = (down.target[0], scale[1] - down.target[1], across.target[0], scale[0] - across.target[1])
    return cv2.copyMakeBorder(resized, *around, cv2.BORDER_CONSTANT, value=fill)
