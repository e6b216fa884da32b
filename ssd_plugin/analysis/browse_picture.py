"""Draw samples and the default boxes that their objects match, as a page of pictures."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from .browse import Sample

COLUMNS, ROWS = 4, 3
# Inches; a page of 4 x 3 square pictures is 1920 x 1640 dots.
_CELL, _GAP, _CAPTION, _LEGEND, _DPI = 4.7, 0.1, 0.45, 0.45, 100
_INK, _BEYOND = '#222222', '#e9e9e9'
# Share of the sides that shows around the image, because default boxes reach beyond it.
_MARGIN = 0.06


def draw_page(samples: Sequence[Sample], classes: Sequence[str], palette: Sequence[Any], columns: int) -> Figure:
    """Draw one page.

    Args:
        samples: In the order of reading.
        classes: Names of the classes.
        palette: Their colours, RGB from 0 to 255.
        columns: Of the page.

    Returns:
        The page; ``savefig`` writes it.
    """
    rows = -(-len(samples) // columns)
    height, width = samples[0].pixels.shape[:2]
    cell = _CELL * height / width
    page_width, page_height = columns * (_CELL + _GAP) + _GAP, rows * (cell + _CAPTION) + _LEGEND + _GAP
    figure = Figure((page_width, page_height), dpi=_DPI, facecolor='white')
    colours = [np.asarray(colour) / 255 for colour in palette]
    for number, sample in enumerate(samples):
        row, column = divmod(number, columns)
        left, top = _GAP + column * (_CELL + _GAP), _LEGEND + (row + 1) * _CAPTION + row * cell
        place = left / page_width, 1 - (top + cell) / page_height, _CELL / page_width, cell / page_height
        _draw_sample(figure.add_axes(place), sample, colours)
    _draw_legend(figure, samples, classes, colours)
    return figure


def _draw_sample(axes: Axes, sample: Sample, colours: Sequence[np.ndarray]) -> None:
    height, width = sample.pixels.shape[:2]
    axes.imshow(sample.pixels, extent=(0, width, height, 0), interpolation='lanczos')
    axes.set_xlim(-_MARGIN * width, (1 + _MARGIN) * width)
    axes.set_ylim((1 + _MARGIN) * height, -_MARGIN * height)
    axes.set_facecolor(_BEYOND)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    for box, gt_ind in zip(sample.default_boxes, sample.gt_inds):
        _draw_box(axes, box, colours[sample.gt_labels[gt_ind]], linewidth=0.9, alpha=0.65)
    matched = Counter(sample.gt_inds.tolist())
    outline = withStroke(linewidth=4.2, foreground='white')
    for box, label in zip(sample.gt_bboxes, sample.gt_labels):
        _draw_box(axes, box, colours[label], linewidth=2.4, path_effects=[outline])
    for number, (box, label) in enumerate(zip(sample.gt_bboxes, sample.gt_labels)):
        axes.text(
            max(box[0], 0),
            max(box[1], 0),
            str(matched[number]),
            color=_letters_on(colours[label]),
            fontsize=8.5,
            fontweight='bold',
            verticalalignment='bottom',
            bbox=dict(boxstyle='square,pad=0.15', facecolor=colours[label], edgecolor='white', linewidth=0.6),
        )
    counts = f'objects: {len(sample.gt_bboxes)}, default boxes by level: {" ".join(map(str, sample.by_level))}'
    axes.set_title(f'{sample.name}\n{counts}', fontsize=9.5, color=_INK, loc='left', pad=3)


def _draw_box(axes: Axes, box: np.ndarray, colour: np.ndarray, **style: Any) -> None:
    x1, y1, x2, y2 = box
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=colour, **style))


def _letters_on(colour: np.ndarray) -> str:
    """Choose black or white, whichever is read more easily on a colour (its brightness as ITU-R BT.601 has it)."""
    return 'black' if colour @ (0.299, 0.587, 0.114) > 0.6 else 'white'


def _draw_legend(
    figure: Figure, samples: Sequence[Sample], classes: Sequence[str], colours: Sequence[np.ndarray]
) -> None:
    seen = sorted({int(label) for sample in samples for label in sample.gt_labels})
    handles: list[Any] = [
        Line2D([], [], color=_INK, linewidth=2.4, label='gt box; the number: how many default boxes it matches'),
        Line2D([], [], color=_INK, linewidth=0.9, label='default box that it matches'),
        *(Patch(color=tuple(colours[label]), label=classes[label]) for label in seen),
    ]
    figure.legend(
        handles=handles,
        loc='upper center',
        ncols=min(len(handles), 8),
        fontsize=11,
        frameon=False,
        borderaxespad=0.3,
    )
