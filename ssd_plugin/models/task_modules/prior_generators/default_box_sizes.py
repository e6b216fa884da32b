"""Sizes and shapes of the default boxes of a cell: the arithmetic of the authors' scripts, without a network."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional, Union

Number = Union[int, float]
# One size, or with several pairs at a level one per pair.
Sizes = Union[Number, Sequence[Number]]
MaxSizes = Union[None, Number, Sequence[Optional[Number]]]

# Percent of the first level's small square, by the percent of the second level's, where it was published
# (`weiliu89/caffe: examples/ssd/ssd_pascal.py`, `ssd_coco.py`; SSD512 from the ports that agree on it).
PUBLISHED_FIRST_PERCENT = {20: 10, 15: 7, 10: 4}


class BoxSizes(NamedTuple):
    """Sizes in pixels, one entry per level."""

    min: Sequence[Sizes]
    max: Sequence[MaxSizes]

    def truncate(self) -> 'BoxSizes':
        """Cut all sizes to whole pixels, as the authors' layer does by copying each into an integer."""
        return BoxSizes(*([_truncate(size) for size in sizes] for sizes in self))


def level_sizes(side: int, levels: int, ratio_range: Sequence[float], first_ratio: Optional[float] = None) -> BoxSizes:
    """Derive the sizes of every level from a range of scales.

    Args:
        side: Short side of the network's input, pixels.
        levels: Number of levels, at least 1.
        ratio_range: Smallest and largest scale as fractions of ``side``; whole percents.
        first_ratio: Scale of the first level's small square; ``None`` = published value, or half the smallest scale.

    Returns:
        One min and one max size per level, not truncated.

    Raises:
        ValueError: The range is not 0 < smallest < largest.

    Source: docs/fidelity.md section 2.1; ``weiliu89/caffe: examples/ssd/ssd_pascal.py``.
    """
    low, high = (round(100 * ratio) for ratio in ratio_range)
    if not 0 < low < high:
        raise ValueError(
            f'basesize_ratio_range={tuple(ratio_range)}, expected 0 < smallest < largest, in whole percent'
        )
    first = PUBLISHED_FIRST_PERCENT.get(low, low / 2) if first_ratio is None else 100 * first_ratio
    # The authors floor the step to whole percents.
    step = (high - low) // (levels - 2) if levels > 2 else high - low
    percents = [first] + [low + step * k for k in range(levels)]
    # Multiplied before the division: 300 * 37 / 100 is 111 exactly, 300 * 0.37 is not.
    pixels = [side * percent / 100 for percent in percents]
    return BoxSizes(pixels[:levels], pixels[1 : levels + 1])


def level_ratios(levels: int) -> list[list[int]]:
    """Give the published ratios: ratio 2 everywhere, ratio 3 too except at the first and the last two levels."""
    return [[2] if level == 0 or level >= levels - 2 else [2, 3] for level in range(levels)]


def boxes_of_cell(min_sizes: Sizes, max_sizes: MaxSizes, ratios: Sequence) -> list[tuple[float, float]]:
    """List the widths and heights of one cell's boxes in the authors' order.

    Args:
        min_sizes: Side of the small square, or several.
        max_sizes: The larger size beside each; ``None`` leaves the larger square out.
        ratios: Ratios beside 1 for all pairs, or one list per pair. Each adds a wide and a tall box, so that r and 1/r
            are the same ratio, and count once.

    Returns:
        (w, h) in pixels: per pair the small square, the large one, then the two boxes of each ratio.

    Raises:
        ValueError: Pairs and lists do not fit together, or a size or ratio is not positive.

    Source: docs/fidelity.md section 2.2; ``weiliu89/caffe: src/caffe/layers/prior_box_layer.cpp``.
    """
    minimums = list(min_sizes) if isinstance(min_sizes, Sequence) else [min_sizes]
    maximums = list(max_sizes) if isinstance(max_sizes, Sequence) else [max_sizes] * len(minimums)
    per_pair = isinstance(ratios[0], Sequence) if ratios else False
    ratio_lists = [list(pair) for pair in ratios] if per_pair else [list(ratios)] * len(minimums)
    if not len(minimums) == len(maximums) == len(ratio_lists):
        raise ValueError(f'min_sizes={min_sizes}, max_sizes={max_sizes}, ratios={ratios}: not the same number of pairs')
    boxes = []
    for minimum, maximum, pair_ratios in zip(minimums, maximums, ratio_lists):
        if minimum <= 0 or (maximum is not None and maximum <= 0) or any(ratio <= 0 for ratio in pair_ratios):
            raise ValueError(f'min size {minimum}, max size {maximum}, ratios {pair_ratios}: expected positive numbers')
        boxes.append((float(minimum), float(minimum)))
        if maximum is not None:
            boxes.append((math.sqrt(minimum * maximum),) * 2)
        for ratio in _distinct(pair_ratios):
            root = math.sqrt(ratio)
            boxes += [(minimum * root, minimum / root), (minimum / root, minimum * root)]
    return boxes


def _distinct(ratios: Sequence[Number]) -> list[Number]:
    """Leave out 1 and every ratio that is there already, as it is or inverted: the authors' layer skips them."""
    kept: list[Number] = []
    for ratio in ratios:
        if all(abs(ratio - other) > 1e-6 for known in [1, *kept] for other in (known, 1 / known)):
            kept.append(ratio)
    return kept


def _truncate(size: Any) -> Any:
    if isinstance(size, Sequence):
        return [_truncate(entry) for entry in size]
    return None if size is None else int(size)
