"""Boxes for hypothesis: touching, nested, equal, flat, tiny or large ones, in float32 as everywhere in the package."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

# Whole pixels of a small board make equal boxes and exact thresholds; the other numbers make what rounds.
_PLACES = st.one_of(st.integers(-2, 12).map(float), st.floats(-50, 400, width=32))
_SIZES = st.one_of(st.integers(1, 9).map(float), st.floats(1, 400, width=32), st.sampled_from([0.5, 2**-20, 1e-3]))
_FLAT = st.sampled_from([0.0, 1e-45, 1e-38, 1e-30])


def _box(x: float, y: float, width: float, height: float) -> NDArray[np.float32]:
    corner, size = np.array([x, y], np.float32), np.array([width, height], np.float32)
    return np.concatenate([corner, corner + size])


def boxes(min_count: int = 0, max_count: int = 8, flat: bool = False) -> st.SearchStrategy[Any]:
    """Draw (M, 4) float32 arrays, xyxy; with ``flat`` some have nearly no width or height, or none."""
    sizes = st.one_of(_SIZES, _FLAT) if flat else _SIZES
    one = st.builds(_box, _PLACES, _PLACES, sizes, sizes)
    usable = one if flat else one.filter(lambda box: (box[2:] > box[:2]).all())
    rows = st.lists(usable, min_size=min_count, max_size=max_count)
    return rows.map(lambda found: np.array(found, np.float32).reshape(-1, 4))
