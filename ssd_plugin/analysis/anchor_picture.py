"""Draw default boxes over an original image, level by level, with the gt boxes that they match."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ssd_plugin.datasets.doctor.images import read_pixels
from ssd_plugin.errors import UserError

from .anchor_recall import MATCHED, Floats, Level, best_ious
from .training_boxes import TrainingBoxes

_WIDTH, _GAP, _CAPTION = 300, 8, 36
_DARK, _LIGHT = (40, 40, 40), (245, 245, 245)
_DEFAULT, _MATCHED, _UNMATCHED = (255, 190, 60), (70, 230, 110), (255, 70, 70)
# So many images are looked at for one that shows many levels.
_MOST_IMAGES = 500


def draw_levels(found: TrainingBoxes, ways: Mapping[str, Sequence[Level]], input_size: tuple[int, int]) -> Image.Image:
    """Draw a row for each way of laying default boxes and a panel for each level.

    A panel shows in yellow the default boxes of one cell, the one nearest to the gt box that the level matches best; in
    green the gt boxes that the level matches, and in red those that no level does. The image is the one, of the first
    500, whose gt boxes suit the most levels, with one more for each gt box that the last way alone matches.

    Args:
        found: The gt boxes.
        ways: The levels, by the name of the way.
        input_size: (W, H) of the network's input in pixels.

    Returns:
        The picture.

    Raises:
        UserError: None of these images can be read.
    """
    ious = {name: best_ious(found.boxes, levels) for name, levels in ways.items()}
    image_id, image = _choose_image(found, list(ious.values()))
    panel = image.resize((_WIDTH, max(1, round(_WIDTH * image.height / image.width))))
    panel = Image.blend(panel, Image.new('RGB', panel.size, _DARK), 0.35)
    scale = np.tile(np.divide(panel.size, input_size), 2)
    chosen = found.image_ids == image_id
    columns, height = max(map(len, ways.values())), panel.height + _CAPTION + _GAP
    sheet = Image.new('RGB', (columns * (_WIDTH + _GAP) + _GAP, len(ways) * height + _GAP), _LIGHT)
    for row, (name, levels) in enumerate(ways.items()):
        row_ious = ious[name][:, chosen]  # (L, m)
        for column, level in enumerate(levels):
            place = _GAP + column * (_WIDTH + _GAP), _GAP + row * height
            drawing = panel.copy()
            _draw_panel(ImageDraw.Draw(drawing), found.boxes[chosen], level, row_ious, column, scale)
            sheet.paste(drawing, (place[0], place[1] + _CAPTION))
            sides = np.sqrt(level.shapes.prod(axis=1))
            caption = (
                f'{name}, level {column}: {len(level.xs)}x{len(level.ys)} cells, boxes {sides.min():.0f}..'
                f'{sides.max():.0f} px\nmatches {(row_ious[column] >= MATCHED).sum()} of {chosen.sum()} gt boxes'
            )
            ImageDraw.Draw(sheet).text(place, caption, _DARK, ImageFont.load_default(13))
    return sheet


def _choose_image(found: TrainingBoxes, ious: Sequence[Floats]) -> tuple[int, Image.Image]:
    level = ious[-1].argmax(axis=0)
    gained = (ious[-1].max(axis=0) >= MATCHED) & (ious[0].max(axis=0) < MATCHED)
    images = np.unique(found.image_ids)[:_MOST_IMAGES]

    def worth(image_id: int) -> int:
        here = found.image_ids == image_id
        return len(np.unique(level[here])) + int(gained[here].sum())

    for image_id in sorted(images, key=worth, reverse=True):
        pixels = read_pixels(found.paths[image_id])
        if pixels is not None:
            return image_id, Image.fromarray(pixels[..., ::-1])
    raise UserError(f'{found.paths[images[0]]}: cannot be read, nor any image after it, expected one to draw on')


def _draw_panel(
    draw: ImageDraw.ImageDraw, boxes: Floats, level: Level, ious: Floats, number: int, scale: Floats
) -> None:
    """Draw gt boxes (m, 4) and the default boxes of a cell; IoUs are (L, m), ``scale`` takes (4,) to the panel."""
    for box in boxes[ious.max(axis=0) < MATCHED]:
        draw.rectangle(tuple(box * scale), outline=_UNMATCHED, width=2)
    for box in boxes[ious[number] >= MATCHED]:
        draw.rectangle(tuple(box * scale), outline=_MATCHED, width=2)
    best = boxes[ious[number].argmax()]
    x, y = (
        grid[np.abs(grid - centre).argmin()] for grid, centre in zip((level.xs, level.ys), (best[:2] + best[2:]) / 2)
    )
    for width, height in level.shapes:
        corners = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
        draw.rectangle(tuple(corners * scale), outline=_DEFAULT)
    x, y = x * scale[0], y * scale[1]
    draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=_DEFAULT)
