"""Paint what a scene is made of: a textured surface with soft clutter, objects with a shadow, effects of a camera."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FloatImage = NDArray[np.float32]
Contours = list[NDArray[np.float64]]

_SHIFT = 4  # fractional bits of OpenCV's polygon coordinates
_MIN_CONTRAST = 45.0  # in CIE Lab, between an object and what lies under it
_PLAIN_BELOW = 30.0  # objects of fewer pixels than this get no texture: it would hide their outline


def _fixed_point(contours: Contours) -> list[NDArray[np.int32]]:
    return [np.rint(contour * (1 << _SHIFT)).astype(np.int32) for contour in contours]


def rasterise(contours: Contours, width: int, height: int) -> Image:
    """Fill an outline.

    Args:
        contours: Closed contours, (P, 2) pixels each; what lies within two of them is a hole.
        width: Of the mask, in pixels.
        height: Of the mask, in pixels.

    Returns:
        uint8 (height, width), 0 to 255, smoothed along the edges.
    """
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, _fixed_point(contours), 255, cv2.LINE_AA, _SHIFT)
    return mask


def _noise(rng: np.random.Generator, width: int, height: int, cells: Sequence[int], fade: float) -> FloatImage:
    """Draw smooth noise of about -1 to 1, in octaves of so many ``cells`` along the width, coarsest first."""
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


def paint_background(rng: np.random.Generator, width: int, height: int) -> FloatImage:
    """Paint a surface with soft clutter, and over it fine grain and a few thin lines.

    Args:
        rng: Source of every random choice.
        width: In pixels.
        height: In pixels.

    Returns:
        float32 (height, width, 3) BGR, about 0 to 255.
    """
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
    """Mix two colours by noise, with a horizon now and then and long blurred stains."""
    first, second = _colour(rng, (8, 90), (50, 220)), _colour(rng, (8, 90), (50, 220))
    mix = np.clip(0.5 + 0.5 * _noise(rng, width, height, (3, 6, 12), 0.55), 0, 1)[..., None]
    canvas = np.asarray(first * mix + second * (1 - mix), np.float32)
    if rng.random() < 0.4:
        left, right = rng.uniform(0.25, 0.75, 2) * height
        floor = np.array([(0, left), (width, right), (width, 2 * height), (0, 2 * height)])
        mask = cv2.GaussianBlur(rasterise([floor], width, height), (0, 0), 0.8)[..., None] / np.float32(255)
        canvas += mask * np.float32(rng.uniform(0.3, 0.7)) * (_colour(rng, (10, 120), (50, 220)) - canvas)
    for _ in range(rng.integers(3, 9)):
        _clutter(rng, canvas)
    return canvas


def _clutter(rng: np.random.Generator, canvas: FloatImage) -> None:
    """Lay a long blurred stain of no class over the canvas."""
    height, width = canvas.shape[:2]
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    phases = rng.uniform(0, 2 * np.pi, 3)
    radii = 1 + sum(0.22 * np.sin((k + 2) * angles + phase) for k, phase in enumerate(phases))
    long, short = rng.uniform(0.15, 0.5) * width, rng.uniform(0.03, 0.1) * width
    turn = rng.uniform(0, np.pi)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    stain = np.stack([radii * np.cos(angles) * long, radii * np.sin(angles) * short], 1) @ axes
    mask = rasterise([stain + rng.random(2) * (width, height)], width, height)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.2, 3.5)).astype(np.float32)[..., None] / 255
    canvas += soft * np.float32(rng.uniform(0.25, 0.6)) * (_colour(rng, (8, 120), (40, 230)) - canvas)


def _object_colour(rng: np.random.Generator, under: FloatImage, hue: tuple[int, int]) -> FloatImage:
    """Choose a strong colour well away from the one ``under`` the object; of a dozen the farthest if none is."""
    tried = np.stack([under, *(_colour(rng, (90, 256), (90, 256), hue) for _ in range(12))])
    lab = cv2.cvtColor(np.clip(tried, 0, 255)[None] / np.float32(255), cv2.COLOR_BGR2Lab)[0]
    distances = np.linalg.norm(lab[1:] - lab[0], axis=1)
    far_enough = distances >= _MIN_CONTRAST
    return tried[1:][far_enough.argmax() if far_enough.any() else distances.argmax()]


def paint_object(
    rng: np.random.Generator, canvas: FloatImage, contours: Contours, mask: Image, size: float, hue: tuple[int, int]
) -> None:
    """Lay one object, with its shadow, on the canvas.

    Args:
        rng: Source of every random choice.
        canvas: float32 (H, W, 3) BGR; painted on.
        contours: The object's outline, (P, 2) pixels each.
        mask: The same as ``rasterise`` fills it.
        size: Square root of the area of the object's box, in pixels.
        hue: First hue and last + 1 that the object may have, of OpenCV's 180.
    """
    margin = int(0.25 * size) + 4  # the shadow's offset and blur
    left, top, across, down = cv2.boundingRect(mask)
    left, top, right, bottom = max(left - margin, 0), max(top - margin, 0), left + across + margin, top + down + margin
    patch, cover = canvas[top:bottom, left:right], mask[top:bottom, left:right]
    height, width = cover.shape

    colour = _object_colour(rng, np.array(cv2.mean(patch, cover)[:3], np.float32), hue)
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
    """Draw brightness factors around 1: a shading, and on larger objects stripes, checks, dots or mottle."""
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


def simulate_camera(rng: np.random.Generator, canvas: FloatImage) -> Image:
    """Add what a camera does: uneven light, white balance, gamma, lens blur, sensor noise.

    Args:
        rng: Source of every random choice.
        canvas: float32 (H, W, 3) BGR, about 0 to 255.

    Returns:
        uint8 (H, W, 3) BGR.
    """
    height, width = canvas.shape[:2]
    light = 1 + rng.uniform(0.05, 0.3) * _noise(rng, width, height, (2, 3), 0.5)
    balance = rng.uniform(0.9, 1.1, 3) * rng.uniform(0.75, 1.15)
    lit = np.clip(canvas * (light[..., None] * balance.astype(np.float32)) / 255, 0, 1)
    developed = 255 * cv2.pow(lit, rng.uniform(0.85, 1.2))
    blurred = cv2.GaussianBlur(developed, (0, 0), rng.uniform(0.3, 1.1))
    grain = rng.standard_normal(canvas.shape, np.float32) * np.float32(rng.uniform(1.5, 8))
    return np.clip(blurred + grain, 0, 255).astype(np.uint8)
