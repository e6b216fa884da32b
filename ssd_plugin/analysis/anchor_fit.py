"""Fit the sizes and ratios of SSD's default boxes to gt boxes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

import numpy as np
from numpy.typing import NDArray

from ssd_plugin.errors import UserError
from ssd_plugin.models.detectors import SSD
from ssd_plugin.models.task_modules.prior_generators import SSDAnchorGenerator
from ssd_plugin.models.task_modules.prior_generators.default_box_sizes import boxes_of_cell

from .anchor_recall import (
    MATCHED,
    Floats,
    Level,
    best_ious,
    best_possible_ious,
    centre_distances,
    levels_of,
    shape_ious,
)
from .training_boxes import TrainingBoxes

# The search looks at no more boxes, evenly chosen; what it found is measured on all of them.
_MOST_BOXES = 10_000
# A size may become so much larger or smaller, so that a level keeps objects that its receptive field suits.
_FACTOR = 2.0
_SIZE_STEPS = 2.0 ** (np.arange(-8, 9) / 8)
_RATIOS = (1.2, 1.3, 1.5, 1.7, 2.0, 2.3, 2.6, 3.0, 3.5, 4.0, 4.6, 5.3, 6.0)
# What counts as better: fewer would be noise, and a config of its own has its price.
_RECALL_GAIN, _IOU_GAIN = 0.005, 0.01
# A number is changed for no less, so that levels which serve few objects stay as published.
_LEAST_STEP = 1e-3


class Pair(NamedTuple):
    """A (min, max) pair of a level and its ratios, as ``SSDAnchorGenerator`` takes them."""

    min: int
    max: Optional[int]
    ratios: tuple[float, ...]


Cells = list[list[Pair]]


@dataclass(frozen=True)
class AnchorFit:
    """Default boxes as they are, as they could be, and how both cover the gt boxes.

    Attributes:
        settings: ``min_sizes``, ``max_sizes`` and ``ratios`` of ``SSDAnchorGenerator``, with as many boxes as before.
        levels: The levels as they are.
        fitted_levels: The levels with these settings.
        ious: Best IoUs of the gt boxes as they are, fitted, and with the best default boxes of any shape, (M,) each.
    """

    settings: dict[str, list[Any]]
    levels: list[Level]
    fitted_levels: list[Level]
    ious: tuple[Floats, Floats, Floats]

    @property
    def recalls(self) -> tuple[float, ...]:
        """Recall as it is, fitted, and possible."""
        return tuple(float(np.mean(one >= MATCHED)) for one in self.ious)

    @property
    def gains(self) -> bool:
        """Whether the fitted boxes are worth a change: no recall is lost, and recall or mean best IoU rises."""
        now, fitted = self.recalls[:2]
        closer = float(self.ious[1].mean() - self.ious[0].mean())
        return fitted >= now and closer >= 0 and (fitted - now >= _RECALL_GAIN or closer >= _IOU_GAIN)


def fit_anchors(detector: SSD, found: TrainingBoxes) -> AnchorFit:
    """Fit the default boxes of a detector, and measure how well they then cover the gt boxes.

    Levels, and the number of boxes of a cell, stay: the network costs the same, and its weights still load.

    Args:
        detector: Its head has an ``SSDAnchorGenerator``.
        found: What it trains on.

    Returns:
        The fit, the same for the same boxes.

    Raises:
        UserError: The default boxes are of another generator.
    """
    generator = detector.bbox_head.prior_generator
    if not isinstance(generator, SSDAnchorGenerator):
        kind = type(generator).__name__
        raise UserError(f'model.bbox_head.anchor_generator.type: {kind}, expected ssd_plugin.SSDAnchorGenerator')
    levels = levels_of(generator, detector.map_sizes)
    chosen = np.linspace(0, len(found.labels) - 1, min(len(found.labels), _MOST_BOXES)).round().astype(int)
    cells = _search(found.boxes[chosen], _weights(found.labels[chosen]), levels, _pairs(generator))
    settings = _settings(cells)
    fitted = SSDAnchorGenerator(
        generator.strides,
        settings['ratios'],
        settings['min_sizes'],
        settings['max_sizes'],
        input_size=generator.input_size,
        clip_centers=generator.clip_centers,
    )
    fitted_levels = levels_of(fitted, detector.map_sizes)
    ious = (
        best_ious(found.boxes, levels).max(axis=0),
        best_ious(found.boxes, fitted_levels).max(axis=0),
        best_possible_ious(found.boxes, levels),
    )
    return AnchorFit(settings, levels, fitted_levels, ious)


def _weights(labels: NDArray[np.int64]) -> Floats:
    """Let a class count as the root of its boxes, so that a rare one is heard and a single box does not decide."""
    weights = 1 / np.sqrt(np.bincount(labels))[labels]
    return weights / weights.sum()


def _search(boxes: Floats, weights: Floats, levels: Sequence[Level], start: Cells) -> Cells:
    """Change one number after the other to the best of its values, until that is no longer worth it.

    What is best is the weighted mean, over the boxes, of matched (1 or 0) plus best IoU.
    """
    cells = [list(pairs) for pairs in start]
    distances = [centre_distances(boxes, level) for level in levels]

    def ious_of(k: int, pairs: Sequence[Pair]) -> Floats:
        return shape_ious(boxes, distances[k], _shapes(pairs)).max(axis=1)

    def score_of(ious: Floats) -> float:
        return float(weights @ ((ious >= MATCHED) + ious))

    ious = [ious_of(k, pairs) for k, pairs in enumerate(cells)]
    best = score_of(np.max(ious, axis=0))
    improved = True
    while improved:
        improved = False
        for k in range(len(cells)):
            others = np.max([*ious[:k], *ious[k + 1 :], np.zeros(len(boxes))], axis=0)
            for i, place in _numbers(cells[k]):
                scored = [
                    (score_of(np.maximum(others, ious_of(k, pairs))), pairs)
                    for pairs in _changed(cells[k], start[k], i, place)
                ]
                score, pairs = max(scored, key=lambda one: one[0], default=(best, cells[k]))
                if score > best + _LEAST_STEP:
                    best, cells[k], improved = score, pairs, True
            ious[k] = ious_of(k, cells[k])
    return cells


def _numbers(pairs: Sequence[Pair]) -> Iterator[tuple[int, int]]:
    """List the numbers of a level: pair, and place in it: 0 min, 1 max, from 2 on the ratios."""
    for i, pair in enumerate(pairs):
        yield from ((i, place) for place in range(2 + len(pair.ratios)) if place != 1 or pair.max is not None)


def _changed(pairs: list[Pair], start: list[Pair], i: int, place: int) -> list[list[Pair]]:
    """List what a level may become by another value of one number."""
    pair, first = pairs[i], start[i]
    if place >= 2:
        ratios = [
            (*pair.ratios[: place - 2], ratio, *pair.ratios[place - 1 :])
            for ratio in _RATIOS
            # The generator lists equal ones once.
            if not any(math.isclose(ratio, known) or math.isclose(ratio, 1 / known) for known in pair.ratios)
        ]
        return [[*pairs[:i], pair._replace(ratios=one), *pairs[i + 1 :]] for one in ratios]
    key = Pair._fields[place]
    low, high = (float(getattr(first, key)) * factor for factor in (1 / _FACTOR, _FACTOR))
    sizes = {max(1, round(getattr(pair, key) * step)) for step in _SIZE_STEPS}
    options = [pair._replace(**{key: size}) for size in sorted(sizes) if low <= size <= high]
    return [[*pairs[:i], one, *pairs[i + 1 :]] for one in options if one.max is None or one.min <= one.max]


def _shapes(pairs: Sequence[Pair]) -> Floats:
    minimums, maximums, ratios = zip(*pairs)
    return np.array(boxes_of_cell(minimums, maximums, [list(one) for one in ratios]))


def _pairs(generator: SSDAnchorGenerator) -> Cells:
    cells = []
    for minimums, maximums, ratios in zip(generator.min_sizes, generator.max_sizes, generator.box_ratios):
        mins = list(minimums) if isinstance(minimums, Sequence) else [minimums]
        maxs = list(maximums) if isinstance(maximums, Sequence) else [maximums] * len(mins)
        per_pair = bool(ratios) and isinstance(ratios[0], Sequence)
        cells.append(
            [
                Pair(max(1, int(low)), None if high is None else int(high), tuple(ratios[i] if per_pair else ratios))
                for i, (low, high) in enumerate(zip(mins, maxs))
            ]
        )
    return cells


def _settings(cells: Cells) -> dict[str, list[Any]]:
    """Write pairs as the generator's settings: single numbers where a level has one pair."""
    settings: dict[str, list[Any]] = {'min_sizes': [], 'max_sizes': [], 'ratios': []}
    for pairs in cells:
        for values, key in zip(zip(*pairs), settings):
            lists = [list(value) if key == 'ratios' else value for value in values]
            settings[key].append(lists[0] if len(lists) == 1 else lists)
    return settings
