"""Draw one image of plain shapes with their boxes, from a random generator alone.

The image is built as a camera would see it: a textured surface with soft clutter, objects with a texture, shading and a
shadow laid over each other, then light, blur and sensor noise over everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Optional

import cv2
import numpy as np
from numpy.typing import NDArray

from .painting import Contours, Image, paint_background, paint_object, rasterise, simulate_camera

MIN_SCALE, MAX_SCALE = 0.05, 0.8
MIN_VISIBLE = 0.65
EMPTY_SHARE = 0.05
MAX_OBJECTS = 8
_COUNT_WEIGHTS = np.array([3, 5, 5, 4, 3, 2, 1, 1], float)  # of 1 to MAX_OBJECTS objects


@dataclass(frozen=True)
class ShapeObject:
    """One drawn object.

    Attributes:
        label: Index into ``CLASSES``.
        box: First and last covered pixel, ``(x1, y1, x2, y2)``, of the whole outline, clipped to the image.
        truncated: Whether the image's border cuts the object.
    """

    label: int
    box: tuple[int, int, int, int]
    truncated: bool


def _ellipse(radius: float) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return radius * np.stack([np.cos(angles), np.sin(angles)], 1)


def _star(points: int, inner: float) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * np.pi, 2 * points, endpoint=False)
    radii = np.where(np.arange(2 * points) % 2 == 0, 1.0, inner)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1)


def _cross(arm: float) -> NDArray[np.float64]:
    quarter = np.array([(-arm, -1), (arm, -1), (arm, -arm)], float)
    turn = np.array([(0, -1), (1, 0)], float)
    return np.concatenate([quarter @ np.linalg.matrix_power(turn, turns).T for turns in range(4)])


# An outline is a list of closed contours around the origin; a second contour is a hole.
_OUTLINES: dict[str, Callable[[np.random.Generator], Contours]] = {
    'circle': lambda rng: [_ellipse(1.0)],
    'square': lambda rng: [np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)],
    'triangle': lambda rng: [_star(3, 0.5)],
    'star': lambda rng: [_star(5, rng.uniform(0.38, 0.48))],
    'ring': lambda rng: [_ellipse(1.0), _ellipse(rng.uniform(0.5, 0.62))],
    'cross': lambda rng: [_cross(rng.uniform(0.28, 0.36))],
}
CLASSES = tuple(_OUTLINES)
# Of OpenCV's 180 hues: the distance between the classes, and how far a class spreads. Each class has hues of its own,
# because shape alone takes far longer to learn than the minutes this data set is made for.
_CLASS_HUES = 180 // len(CLASSES)
_HUE_SPREAD = 18


def draw_scene(rng: np.random.Generator, width: int, height: int) -> tuple[Image, list[ShapeObject]]:
    """Draw one image.

    Args:
        rng: Source of every random choice; equal generators draw equal images.
        width: Of the image, in pixels.
        height: Of the image, in pixels.

    Returns:
        The image, uint8 (height, width, 3) BGR, and its objects. Every object shows at least ``MIN_VISIBLE`` of its
        area, and the square root of its box's share of the image lies between ``MIN_SCALE`` and ``MAX_SCALE``.
    """
    canvas = paint_background(rng, width, height)
    objects: list[ShapeObject] = []
    owner = np.full((height, width), -1, np.int32)
    areas: list[float] = []
    for scale in _draw_scales(rng):
        label = int(rng.integers(len(CLASSES)))
        for _ in range(20):
            contours = _place(rng, CLASSES[label], scale, width, height)
            mask = rasterise(contours, width, height)
            found = _object_of(contours, label, width, height)
            area = _area(contours)
            if found is not None and _all_visible(owner, mask, areas, area):
                owner[mask > 127] = len(areas)
                areas.append(area)
                objects.append(found)
                hue = (label * _CLASS_HUES, label * _CLASS_HUES + _HUE_SPREAD)
                paint_object(rng, canvas, contours, mask, scale * np.sqrt(width * height), hue)
                break
    return simulate_camera(rng, canvas), objects


def _draw_scales(rng: np.random.Generator) -> list[float]:
    """Draw the objects' scales, largest first, so that small objects lie on large ones and not under them."""
    if rng.random() < EMPTY_SHARE:
        return []
    count = 1 + rng.choice(MAX_OBJECTS, p=_COUNT_WEIGHTS / _COUNT_WEIGHTS.sum())
    # Logarithmic in scale, with thinner ends: the smallest cannot be told apart by a detector trained in minutes.
    position = rng.beta(2.0, 1.5, count)
    low, high = np.log(MIN_SCALE * 1.2), np.log(MAX_SCALE)
    return sorted(np.exp(low + (high - low) * position).tolist(), reverse=True)


def _place(rng: np.random.Generator, name: str, scale: float, width: int, height: int) -> Contours:
    """Turn, stretch, scale and move an outline; its box has ``scale`` squared of the image's area."""
    contours = _OUTLINES[name](rng)
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    stretch = np.exp(rng.uniform(-0.12, 0.12))
    turn = np.array([[cos * stretch, -sin / stretch], [sin * stretch, cos / stretch]])
    turned = [contour @ turn.T for contour in contours]
    low, high = turned[0].min(0), turned[0].max(0)
    zoom = scale * np.sqrt(width * height / np.prod(high - low))
    size = (high - low) * zoom
    # Up to a fifth of either side may leave the image.
    start = np.minimum(-0.2 * size, (np.array([width, height]) - size) / 2)
    corner = rng.uniform(start, np.array([width, height]) - size - start)
    return [(contour - low) * zoom + corner for contour in turned]


def _object_of(contours: Contours, label: int, width: int, height: int) -> Optional[ShapeObject]:
    low, high = np.floor(contours[0].min(0)).astype(int), np.ceil(contours[0].max(0)).astype(int)
    limit = np.array([width - 1, height - 1])
    low_in, high_in = np.clip(low, 0, limit), np.clip(high, 0, limit)
    scale = np.sqrt(np.prod(np.maximum(high_in - low_in, 0)) / (width * height))
    if not MIN_SCALE <= scale <= MAX_SCALE:
        return None
    cut = bool((low_in != low).any() or (high_in != high).any())
    return ShapeObject(label, (int(low_in[0]), int(low_in[1]), int(high_in[0]), int(high_in[1])), cut)


def _area(contours: Contours) -> float:
    areas = [cv2.contourArea(contour.astype(np.float32)) for contour in contours]
    return float(areas[0] - sum(areas[1:]))


def _all_visible(owner: NDArray[np.int32], mask: Image, areas: Sequence[float], area: float) -> bool:
    """Tell whether the new object and every earlier one would still show enough of themselves."""
    inside = mask > 127
    left = np.bincount(owner[~inside] + 1, minlength=len(areas) + 1)[1:]
    return inside.sum() >= MIN_VISIBLE * area and bool((left >= MIN_VISIBLE * np.asarray(areas)).all())
