"""Draw the worst cases on one sheet."""

from collections import Counter
from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFont

from .faults import BEHAVIOURS, LOST, Fault
from .images import UNSEEN, read_pixels

CASES = 16
_COLUMNS = 4
_WIDTH, _HEIGHT, _CAPTION, _GAP, _LETTERS = 480, 360, 56, 10, 76
_RED, _DARK, _LIGHT = (230, 30, 30), (40, 40, 40), (245, 245, 245)
# A thinner box is ringed.
_VISIBLE = 12


def worst_cases(faults: Iterable[Fault]) -> list[Fault]:
    """Choose the faults to draw: of every kind that loses something one, then a second one, and so on; then others.

    Args:
        faults: Of all data sets.

    Returns:
        At most ``CASES`` faults that have an image.
    """
    drawable = sorted((fault for fault in faults if fault.image), key=lambda fault: BEHAVIOURS.index(fault.behaviour))
    seen: Counter[str] = Counter()
    ranked = []
    for fault in drawable:
        seen[fault.kind] += 1
        ranked.append((fault.behaviour not in LOST, seen[fault.kind], fault))
    return [fault for *_, fault in sorted(ranked, key=lambda one: one[:2])][:CASES]


def contact_sheet(cases: list[Fault]) -> Image.Image:
    """Draw faults side by side, a faulty box in red; around an image there is room for a box outside.

    Args:
        cases: Faults that have an image.

    Returns:
        The sheet.
    """
    columns, rows = min(len(cases), _COLUMNS), -(-len(cases) // _COLUMNS)
    width, height = _WIDTH + _GAP, _HEIGHT + _CAPTION + _GAP
    sheet = Image.new('RGB', (columns * width + _GAP, rows * height + _GAP), _LIGHT)
    for number, fault in enumerate(cases):
        place = _GAP + number % _COLUMNS * width, _GAP + number // _COLUMNS * height
        sheet.paste(_cell(fault), place)
    return sheet


def _cell(fault: Fault) -> Image.Image:
    cell = Image.new('RGB', (_WIDTH, _HEIGHT + _CAPTION), _LIGHT)
    draw = ImageDraw.Draw(cell)
    draw.rectangle((0, 0, _WIDTH - 1, _HEIGHT - 1), fill=_DARK)
    pixels = None if fault.image is None or fault.kind in UNSEEN else read_pixels(fault.image)
    if pixels is None:
        draw.text((_WIDTH / 2, _HEIGHT / 2), 'cannot be shown', _LIGHT, ImageFont.load_default(18), anchor='mm')
    else:
        _draw_image(cell, draw, Image.fromarray(pixels[..., ::-1]), fault)
    where = f'{fault.file[-_LETTERS:]}', f'{fault.place}: {fault.found}'.removeprefix(': ')[:_LETTERS]
    draw.text((0, _HEIGHT + 4), f'{fault.kind}: {fault.behaviour}', _RED, ImageFont.load_default(14))
    draw.text((0, _HEIGHT + 22), '\n'.join(where), _DARK, ImageFont.load_default(12))
    return cell


def _draw_image(cell: Image.Image, draw: ImageDraw.ImageDraw, image: Image.Image, fault: Fault) -> None:
    left, top, right, bottom = 0.0, 0.0, float(image.width), float(image.height)
    if fault.box is not None:
        # As far as an image's side from it; beyond, the box would leave the image no room.
        x1, y1, x2, y2 = (
            min(max(value, -side), 2 * side) for value, side in zip(fault.box, (*image.size, *image.size))
        )
        left, top, right, bottom = min(left, x1, x2), min(top, y1, y2), max(right, x1, x2), max(bottom, y1, y2)
    scale = min(_WIDTH / (right - left), _HEIGHT / (bottom - top))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    cell.paste(image.resize(size), (round(-left * scale), round(-top * scale)))
    if fault.box is None:
        return
    shown = sorted(((x1 - left) * scale, (x2 - left) * scale)), sorted(((y1 - top) * scale, (y2 - top) * scale))
    (x1, x2), (y1, y2) = shown
    draw.rectangle((x1, y1, x2, y2), outline=_RED, width=2)
    if min(x2 - x1, y2 - y1) < _VISIBLE:
        draw.ellipse((x1 - _VISIBLE, y1 - _VISIBLE, x2 + _VISIBLE, y2 + _VISIBLE), outline=_RED, width=2)
