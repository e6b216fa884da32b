"""Measure how well default boxes cover gt boxes: recall, mean best IoU, and the best possible ones."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .training_boxes import TrainingBoxes

Floats = NDArray[np.float64]

#: From this IoU on a default box is matched (paper, section 2.2).
MATCHED = 0.5
# Square roots of areas, in pixels of the network's input; COCO's 32 and 96 count in the original image.
_SIZES = (0, 16, 32, 64, 128, np.inf)


class Level(NamedTuple):
    """The default boxes of a level.

    Attributes:
        xs: (w,) centres of the columns in pixels.
        ys: (h,) centres of the rows in pixels.
        shapes: (A, 2) widths and heights of the boxes of a cell in pixels.
    """

    xs: Floats
    ys: Floats
    shapes: Floats


def levels_of(prior_generator: Any, map_sizes: Sequence[tuple[int, int]]) -> list[Level]:
    """Take the default boxes apart into centres and shapes.

    Args:
        prior_generator: An anchor generator of mmdet's kind.
        map_sizes: (h, w) of every level.

    Returns:
        The levels.
    """
    levels = []
    for number, (height, width) in enumerate(map_sizes):
        priors = prior_generator.single_level_grid_priors((height, width), number, device='cpu')
        boxes = priors.double().numpy().reshape(height, width, -1, 4)  # (h, w, A, 4)
        centres = (boxes[..., :2] + boxes[..., 2:]) / 2
        levels.append(Level(centres[0, :, 0, 0], centres[:, 0, 0, 1], boxes[0, 0, :, 2:] - boxes[0, 0, :, :2]))
    return levels


def centre_distances(boxes: Floats, level: Level) -> Floats:
    """Measure how far the centre of the nearest cell is.

    Args:
        boxes: (M, 4) xyxy in pixels.
        level: Whose cells.

    Returns:
        (M, 2) distances along x and along y in pixels.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.stack(
        [np.abs(along[:, None] - grid).min(axis=1) for along, grid in zip(centres.T, (level.xs, level.ys))], axis=1
    )


def shape_ious(boxes: Floats, distances: Floats, shapes: Floats) -> Floats:
    """Compute the IoU of gt boxes with boxes of given shapes at a distance.

    The nearest cell is the best one for any shape, as the overlap along each side falls with the distance. So this is
    the best IoU over a whole level, without going through its cells.

    Args:
        boxes: (M, 4) xyxy in pixels, with an area.
        distances: (M, 2) between the centres, pixels.
        shapes: (A, 2) or (M, A, 2) widths and heights in pixels.

    Returns:
        (M, A).
    """
    sizes = (boxes[:, 2:] - boxes[:, :2])[:, None]  # (M, 1, 2)
    overlaps = np.minimum(np.minimum(sizes, shapes), (sizes + shapes) / 2 - distances[:, None]).clip(min=0)  # (M, A, 2)
    intersections = overlaps[..., 0] * overlaps[..., 1]
    return intersections / (sizes[..., 0] * sizes[..., 1] + shapes[..., 0] * shapes[..., 1] - intersections)


def best_ious(boxes: Floats, levels: Sequence[Level]) -> Floats:
    """Find the best IoU of each gt box with the default boxes of each level.

    Args:
        boxes: (M, 4) xyxy in pixels, with an area.
        levels: L of them.

    Returns:
        (L, M).
    """
    return np.stack([shape_ious(boxes, centre_distances(boxes, one), one.shapes).max(axis=1) for one in levels])


def best_possible_ious(boxes: Floats, levels: Sequence[Level]) -> Floats:
    """Find the best IoU that default boxes of any shape could have with each gt box, in the cells that there are.

    At a distance d along a side of length s the best length is s - 2d or s + 2d: from one to the other the IoU has no
    maximum in between. The box of the gt box's own shape is not better than the best of these.

    Args:
        boxes: (M, 4) xyxy in pixels, with an area.
        levels: L of them.

    Returns:
        (M,).
    """
    signs = np.array([(x, y) for x in (-1, 1) for y in (-1, 1)])
    best = []
    for level in levels:
        distances = centre_distances(boxes, level)
        shapes = (boxes[:, 2:] - boxes[:, :2])[:, None] + 2 * distances[:, None] * signs  # (M, 4, 2)
        best.append(shape_ious(boxes, distances, shapes.clip(min=0)).max(axis=1))
    return np.max(best, axis=0)


def recall_rows(found: TrainingBoxes, columns: Sequence[Floats]) -> list[list[str]]:
    """Sum up by size and by class.

    Args:
        found: M gt boxes.
        columns: Best IoUs (M,) of each way of laying default boxes.

    Returns:
        Rows for a table: what, number of gt boxes, then the recall of each way, then its mean best IoU. Sizes and
        classes without boxes have none.
    """
    sides = np.sqrt((found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1))
    groups = {'all': np.ones(len(sides), dtype=bool)}
    for low, high in zip(_SIZES, _SIZES[1:]):
        groups[f'{low:g}..{high:g} px' if high < np.inf else f'over {low:g} px'] = (low <= sides) & (sides < high)
    groups.update((f'class {name}', found.labels == label) for label, name in enumerate(found.classes))
    return [
        [
            name,
            str(chosen.sum()),
            *(f'{np.mean(ious[chosen] >= MATCHED):.3f}' for ious in columns),
            *(f'{ious[chosen].mean():.3f}' for ious in columns),
        ]
        for name, chosen in groups.items()
        if chosen.any()
    ]
