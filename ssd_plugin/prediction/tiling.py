"""Cut large images into tiles, in which objects are as large for the network as those it learned from."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from ssd_plugin.errors import UserError

Tile = tuple[int, int, int, int]


@dataclass(frozen=True)
class Tiling:
    """How images are cut into tiles.

    Every object that is at most as wide and as high as the overlap lies whole in some tile; larger ones are looked for
    in the whole image too.

    Attributes:
        width: Of a tile, in pixels of the original image.
        height: Of a tile.
        overlap: Of neighbouring tiles at least, as a share of a tile, in [0, 1).
        whole_image: Look at the whole image too.

    Raises:
        UserError: There are no such tiles.
    """

    width: int
    height: int
    overlap: float = 0.25
    whole_image: bool = True

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1:
            raise UserError(f'--tile is {self.width}x{self.height}, expected sides of at least 1 pixel')
        if not 0 <= self.overlap < 1:
            raise UserError(f'--tile-overlap is {self.overlap:g}, expected a number from 0 to below 1')

    def tiles(self, width: int, height: int) -> list[Tile]:
        """Lay tiles over an image.

        Args:
            width: Of the image, in pixels.
            height: Of the image.

        Returns:
            x1, y1, x2, y2 of the tiles, row by row, all of one size; then that of the whole image, unless it is the
            only one.
        """
        columns = _starts(width, self.width, self.overlap)
        rows = _starts(height, self.height, self.overlap)
        tiles = [(x, y, min(x + self.width, width), min(y + self.height, height)) for y in rows for x in columns]
        return tiles + [(0, 0, width, height)] * (self.whole_image and len(tiles) > 1)


def _starts(side: int, tile: int, overlap: float) -> list[int]:
    """Spread tiles evenly over a side."""
    count = max(1, ceil((side - tile * overlap) / (tile - tile * overlap)))
    starts: list[int] = np.linspace(0, max(0, side - tile), count).astype(int).tolist()
    return starts
