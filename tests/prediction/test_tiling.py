import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.errors import UserError
from ssd_plugin.prediction.tiling import Tiling

SIDES = st.integers(1, 400)


def test_tiles_lie_row_by_row_with_the_whole_image_last() -> None:
    tiles = Tiling(300, 200, overlap=0.1).tiles(500, 380)
    assert tiles == [(0, 0, 300, 200), (200, 0, 500, 200), (0, 180, 300, 380), (200, 180, 500, 380), (0, 0, 500, 380)]
    assert Tiling(300, 200, 0.1, whole_image=False).tiles(500, 380) == tiles[:-1]


def test_an_image_no_larger_than_a_tile_is_looked_at_once() -> None:
    assert Tiling(300, 300).tiles(300, 200) == [(0, 0, 300, 200)]
    # One more pixel is one more tile.
    assert Tiling(300, 300).tiles(301, 200) == [(0, 0, 300, 200), (1, 0, 301, 200), (0, 0, 301, 200)]


@given(SIDES, SIDES, st.integers(10, 200), st.integers(10, 200), st.floats(0, 0.8), st.data())
def test_what_the_overlap_holds_lies_whole_in_a_tile(
    width: int, height: int, tile_width: int, tile_height: int, overlap: float, data: st.DataObject
) -> None:
    tiles = Tiling(tile_width, tile_height, overlap, whole_image=False).tiles(width, height)
    assert len({(x2 - x1, y2 - y1) for x1, y1, x2, y2 in tiles}) == 1
    assert min(min(tile) for tile in tiles) >= 0
    w = data.draw(st.integers(1, max(1, min(width, int(overlap * tile_width)))))
    h = data.draw(st.integers(1, max(1, min(height, int(overlap * tile_height)))))
    x, y = data.draw(st.integers(0, width - w)), data.draw(st.integers(0, height - h))
    assert any(x1 <= x and y1 <= y and x + w <= x2 and y + h <= y2 for x1, y1, x2, y2 in tiles)


@pytest.mark.parametrize(
    ('arguments', 'line'),
    [
        ((0, 300), '--tile is 0x300, expected sides of at least 1 pixel'),
        ((300, 300, 1.0), '--tile-overlap is 1, expected a number from 0 to below 1'),
        ((300, 300, -0.1), '--tile-overlap is -0.1, expected a number from 0 to below 1'),
        ((300, 300, float('nan')), '--tile-overlap is nan, expected a number from 0 to below 1'),
    ],
)
def test_tiles_that_cannot_be(arguments: tuple, line: str) -> None:
    with pytest.raises(UserError, match=f'^{line}$'):
        Tiling(*arguments)
