"""Which default boxes a cell holds: the arithmetic of the authors' scripts, without a network."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Optional, Union

Number = Union[int, float]

# Percent of the first level's small square beneath the percent of the second's, where it was published
# (`weiliu89/caffe: examples/ssd/ssd_pascal.py`, `ssd_coco.py`; SSD512 from the ports that agree on it).
PUBLISHED_FIRST_PERCENT = {20: 10, 15: 7, 10: 4}


class BoxSizes(NamedTuple):
    """Sizes in pixels per level; an entry is one size or, with several pairs at a level, a sequence of them."""

    min: list
    max: list


def level_sizes(
    side: int, levels: int, ratio_range: Sequence[float], first_ratio: Optional[float] = None, truncate: bool = True
) -> BoxSizes:
    """Sizes of every level from a range of scales.

    Args:
        side: Short side of the network's input, pixels.
        levels: Number of levels, at least 1.
        ratio_range: Smallest and largest scale as fractions of ``side``; whole percents.
        first_ratio: Scale of the first level's small square; ``None`` = published value, or half the smallest scale.
        truncate: Cut sizes to whole pixels (the authors' layer copies each into an integer).

    Returns:
        One min and one max size per level.

    Raises:
        ValueError: The range is not 0 < smallest < largest.

    Source: spec section 2.1.
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
    if truncate:
        pixels = [float(int(size)) for size in pixels]
    return BoxSizes(pixels[:levels], pixels[1 : levels + 1])


def level_ratios(levels: int) -> list[list[int]]:
    """The published rule: ratio 2 everywhere, ratio 3 too except at the first and the last two levels."""
    return [[2] if level == 0 or level >= levels - 2 else [2, 3] for level in range(levels)]


def boxes_of_cell(
    min_sizes: Union[Number, Sequence[Number]],
    max_sizes: Union[None, Number, Sequence[Optional[Number]]],
    ratios: Sequence,
) -> list[tuple[float, float]]:
    """Widths and heights of one cell's boxes in the authors' order.

    Args:
        min_sizes: Side of the small square, or several.
        max_sizes: The larger size beside each; ``None`` leaves the larger square out.
        ratios: Ratios beside 1 for all pairs, or one list per pair.

    Returns:
        (w, h) in pixels: per pair the small square, the large one, then wide and tall of each ratio.

    Raises:
        ValueError: Pairs and lists do not fit together, or a size or ratio is not positive.

    Source: spec section 2.2.
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
    """Ratios without 1 and without repetitions, as the authors' layer skips them."""
    kept: list[Number] = []
    for ratio in ratios:
        if all(abs(ratio - other) > 1e-6 for other in [1, *kept]):
            kept.append(ratio)
    return kept
