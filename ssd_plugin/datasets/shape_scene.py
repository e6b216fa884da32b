"""Draws one photograph-like picture of plain shapes with their boxes, from a random generator alone.

A picture is built as a camera would see it: a textured surface with soft clutter, objects with a texture, shading and a
shadow laid over each other, then light, blur and sensor noise over everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Optional

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FloatImage = NDArray[np.float32]
Contours = list[NDArray[np.float64]]

MIN_SCALE, MAX_SCALE = 0.05, 0.8
MIN_VISIBLE = 0.65
EMPTY_SHARE = 0.05
MAX_OBJECTS = 8
_SHIFT = 4  # fractional bits of OpenCV's polygon coordinates
_COUNT_WEIGHTS = np.array([3, 5, 5, 4, 3, 2, 1, 1], float)  # of 1 to MAX_OBJECTS objects
_MIN_CONTRAST = 45.0  # in CIE Lab, between an object and what lies under it
_PLAIN_BELOW = 30.0  # objects of fewer pixels than this get no texture: it would hide their outline


@dataclass(frozen=True)
class ShapeObject:
    """One drawn object.

    Attributes:
        label: Index into ``CLASSES``.
        box: First and last covered pixel, ``(x1, y1, x2, y2)``, of the whole outline, clipped to the picture.
        truncated: Whether the picture's border cuts the object.
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
# Of OpenCV's 180 hues: the distance between the classes, and how far a class spreads.
_CLASS_HUES = 180 // len(CLASSES)
_HUE_SPREAD = 18


def draw_scene(rng: np.random.Generator, width: int, height: int) -> tuple[Image, list[ShapeObject]]:
    """Draws one picture.

    Args:
        rng: Source of every random choice; equal generators draw equal pictures.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Returns:
        The picture, uint8 (height, width, 3) BGR, and its objects. Every object shows at least ``MIN_VISIBLE`` of its
        area, and the square root of its box's share of the picture lies between ``MIN_SCALE`` and ``MAX_SCALE``.
    """
    canvas = _background(rng, width, height)
    objects: list[ShapeObject] = []
    owner = np.full((height, width), -1, np.int32)
    areas: list[float] = []
    for scale in _draw_scales(rng):
        label = int(rng.integers(len(CLASSES)))
        for _ in range(20):
            contours = _place(rng, CLASSES[label], scale, width, height)
            mask = _rasterise(contours, width, height)
            found = _object_of(contours, label, width, height)
            area = _area(contours)
            if found is not None and _all_visible(owner, mask, areas, area):
                owner[mask > 127] = len(areas)
                areas.append(area)
                objects.append(found)
                _paint(rng, canvas, contours, mask, scale * np.sqrt(width * height), label)
                break
    return _photograph(rng, canvas), objects


def _draw_scales(rng: np.random.Generator) -> list[float]:
    """The objects' scales, largest first, so that small objects lie on large ones and not under them."""
    if rng.random() < EMPTY_SHARE:
        return []
    count = 1 + rng.choice(MAX_OBJECTS, p=_COUNT_WEIGHTS / _COUNT_WEIGHTS.sum())
    # Logarithmic in scale, with thinner ends: the smallest cannot be told apart by a detector trained in minutes.
    position = rng.beta(2.0, 1.5, count)
    low, high = np.log(MIN_SCALE * 1.2), np.log(MAX_SCALE)
    return sorted(np.exp(low + (high - low) * position).tolist(), reverse=True)


def _place(rng: np.random.Generator, name: str, scale: float, width: int, height: int) -> Contours:
    """Turns, stretches, scales and moves an outline; its box has ``scale`` squared of the picture's area."""
    contours = _OUTLINES[name](rng)
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    stretch = np.exp(rng.uniform(-0.12, 0.12))
    turn = np.array([[cos * stretch, -sin / stretch], [sin * stretch, cos / stretch]])
    turned = [contour @ turn.T for contour in contours]
    low, high = turned[0].min(0), turned[0].max(0)
    zoom = scale * np.sqrt(width * height / np.prod(high - low))
    size = (high - low) * zoom
    # Up to a fifth of either side may leave the picture.
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


def _fixed_point(contours: Contours) -> list[NDArray[np.int32]]:
    return [np.rint(contour * (1 << _SHIFT)).astype(np.int32) for contour in contours]


def _rasterise(contours: Contours, width: int, height: int) -> Image:
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, _fixed_point(contours), 255, cv2.LINE_AA, _SHIFT)
    return mask


def _all_visible(owner: NDArray[np.int32], mask: Image, areas: Sequence[float], area: float) -> bool:
    """Whether the new object and every earlier one would still show enough of themselves."""
    inside = mask > 127
    left = np.bincount(owner[~inside] + 1, minlength=len(areas) + 1)[1:]
    return inside.sum() >= MIN_VISIBLE * area and bool((left >= MIN_VISIBLE * np.asarray(areas)).all())


def _noise(rng: np.random.Generator, width: int, height: int, cells: Sequence[int], fade: float) -> FloatImage:
    """Smooth noise of several octaves, about -1 to 1; ``cells`` are the cells along the width, coarsest first."""
    total = np.zeros((height, width), np.float32)
    for octave, across in enumerate(cells):
        down = max(2, round(across * height / width))
        grid = rng.uniform(-1, 1, (down, across)).astype(np.float32)
        total += fade**octave * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return total


def _colour(
    rng: np.random.Generator, saturation: tuple[int, int], value: tuple[int, int], hue: tuple[int, int] = (0, 180)
) -> FloatImage:
    hsv = np.array([[[rng.integers(*hue) % 180, rng.integers(*saturation), rng.integers(*value)]]], np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)


def _background(rng: np.random.Generator, width: int, height: int) -> FloatImage:
    """A surface with soft clutter, and over it fine grain and a few thin lines."""
    # What is smooth is drawn at half the size, which looks the same and takes a quarter of the time.
    soft = _soft_surface(rng, width // 2, height // 2)
    canvas = cv2.resize(soft, (width, height)).astype(np.float32, copy=False)
    canvas += rng.uniform(4, 14) * _noise(rng, width, height, (width // 8, width // 3), 0.8)[..., None]
    for _ in range(rng.integers(0, 7)):
        points = np.cumsum(rng.normal(0, 0.18, (6, 2)), 0) + rng.random(2)
        curve = np.rint(cv2.resize(points, (2, 40), interpolation=cv2.INTER_CUBIC) * (width, height)).astype(np.int32)
        shade = np.clip(canvas.mean((0, 1)) + rng.uniform(-70, 70), 0, 255)
        cv2.polylines(canvas, [curve], False, shade.tolist(), int(rng.integers(1, 3)))
    return canvas


def _soft_surface(rng: np.random.Generator, width: int, height: int) -> FloatImage:
    """Two colours mixed by noise, a horizon now and then, long blurred stains."""
    first, second = _colour(rng, (8, 90), (50, 220)), _colour(rng, (8, 90), (50, 220))
    mix = np.clip(0.5 + 0.5 * _noise(rng, width, height, (3, 6, 12), 0.55), 0, 1)[..., None]
    canvas = np.asarray(first * mix + second * (1 - mix), np.float32)
    if rng.random() < 0.4:
        left, right = rng.uniform(0.25, 0.75, 2) * height
        floor = np.array([(0, left), (width, right), (width, 2 * height), (0, 2 * height)])
        mask = cv2.GaussianBlur(_rasterise([floor], width, height), (0, 0), 0.8)[..., None] / np.float32(255)
        canvas += mask * np.float32(rng.uniform(0.3, 0.7)) * (_colour(rng, (10, 120), (50, 220)) - canvas)
    for _ in range(rng.integers(3, 9)):
        _clutter(rng, canvas)
    return canvas


def _clutter(rng: np.random.Generator, canvas: FloatImage) -> None:
    """Lays a long blurred stain of no class over the canvas."""
    height, width = canvas.shape[:2]
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    phases = rng.uniform(0, 2 * np.pi, 3)
    radii = 1 + sum(0.22 * np.sin((k + 2) * angles + phase) for k, phase in enumerate(phases))
    long, short = rng.uniform(0.15, 0.5) * width, rng.uniform(0.03, 0.1) * width
    turn = rng.uniform(0, np.pi)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    stain = np.stack([radii * np.cos(angles) * long, radii * np.sin(angles) * short], 1) @ axes
    mask = _rasterise([stain + rng.random(2) * (width, height)], width, height)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.2, 3.5)).astype(np.float32)[..., None] / 255
    canvas += soft * np.float32(rng.uniform(0.25, 0.6)) * (_colour(rng, (8, 120), (40, 230)) - canvas)


def _object_colour(rng: np.random.Generator, under: FloatImage, label: int) -> FloatImage:
    """A strong colour well away from the one ``under`` the object; the farthest of a dozen if none is far enough.

    Its hue is one that the class mostly has, as things in photographs do: shape alone takes far longer to learn than
    the minutes this data set is made for.
    """
    hue = (label * _CLASS_HUES, label * _CLASS_HUES + _HUE_SPREAD)
    tried = np.stack([under, *(_colour(rng, (90, 256), (90, 256), hue) for _ in range(12))])
    lab = cv2.cvtColor(np.clip(tried, 0, 255)[None] / np.float32(255), cv2.COLOR_BGR2Lab)[0]
    distances = np.linalg.norm(lab[1:] - lab[0], axis=1)
    far_enough = distances >= _MIN_CONTRAST
    return tried[1:][far_enough.argmax() if far_enough.any() else distances.argmax()]


def _paint(
    rng: np.random.Generator, canvas: FloatImage, contours: Contours, mask: Image, size: float, label: int
) -> None:
    """Lays one object, with its shadow, on the canvas."""
    margin = int(0.25 * size) + 4  # the shadow's offset and blur
    left, top, across, down = cv2.boundingRect(mask)
    left, top, right, bottom = max(left - margin, 0), max(top - margin, 0), left + across + margin, top + down + margin
    patch, cover = canvas[top:bottom, left:right], mask[top:bottom, left:right]
    height, width = cover.shape

    colour = _object_colour(rng, np.array(cv2.mean(patch, cover)[:3], np.float32), label)
    offset = rng.uniform(-0.08, 0.08, 2) * size
    moved = cv2.warpAffine(cover, np.array([[1, 0, offset[0]], [0, 1, offset[1]]]), (width, height))
    shadow = cv2.GaussianBlur(moved, (0, 0), max(1.0, 0.04 * size)).astype(np.float32)[..., None] / 255
    patch *= 1 - np.float32(rng.uniform(0.1, 0.45)) * shadow

    skin = colour * _texture(rng, width, height, size)[..., None]
    if rng.random() < 0.5:
        edge = (colour * rng.uniform(0.4, 0.7)).tolist()
        outline = _fixed_point([contour - (left, top) for contour in contours])
        cv2.polylines(skin, outline, True, edge, max(1, round(0.03 * size)), cv2.LINE_8, _SHIFT)
    patch += (cover.astype(np.float32)[..., None] / 255) * (skin - patch)


def _texture(rng: np.random.Generator, width: int, height: int, size: float) -> FloatImage:
    """Brightness factors around 1: a shading across the object, and on larger ones stripes, checks, dots or mottle."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    angle = rng.uniform(0, 2 * np.pi)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    factors = 1 + rng.uniform(0, 0.2) * np.sin(np.pi * (u - u.mean()) / (2 * size))
    kind = 'plain' if size < _PLAIN_BELOW else rng.choice(['plain', 'stripes', 'checks', 'dots', 'mottle'])
    step = 2 * np.pi / max(6.0, size * rng.uniform(0.12, 0.25))
    depth = rng.uniform(0.1, 0.22)
    if kind == 'stripes':
        factors += depth * np.tanh(3 * np.sin(step * u))
    elif kind == 'checks':
        factors += depth * np.tanh(6 * np.sin(step * u) * np.sin(step * v))
    elif kind == 'dots':
        factors += depth * np.tanh(6 * (np.sin(step * u) * np.sin(step * v) - 0.5))
    elif kind == 'mottle':
        factors += depth * _noise(rng, width, height, (8, 16, 32), 0.7)
    return np.asarray(factors, np.float32)


def _photograph(rng: np.random.Generator, canvas: FloatImage) -> Image:
    """What the camera adds: uneven light, white balance, gamma, lens blur, sensor noise."""
    height, width = canvas.shape[:2]
    light = 1 + rng.uniform(0.05, 0.3) * _noise(rng, width, height, (2, 3), 0.5)
    balance = rng.uniform(0.9, 1.1, 3) * rng.uniform(0.75, 1.15)
    lit = np.clip(canvas * (light[..., None] * balance.astype(np.float32)) / 255, 0, 1)
    developed = 255 * cv2.pow(lit, rng.uniform(0.85, 1.2))
    blurred = cv2.GaussianBlur(developed, (0, 0), rng.uniform(0.3, 1.1))
    grain = rng.standard_normal(canvas.shape, np.float32) * np.float32(rng.uniform(1.5, 8))
    return np.clip(blurred + grain, 0, 255).astype(np.uint8)
