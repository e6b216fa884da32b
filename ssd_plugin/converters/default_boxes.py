"""Moves a box predictor from one set of default boxes to another of the same centres, exactly.

Some sources clip the sides of their default boxes to those of the input, and one keeps the fractions of SSD512's sizes,
which the authors truncate to whole pixels. We tile as the authors do, so the same raw numbers would mean other boxes
with us. Decoding is linear in the shift and exponential in the size; the difference therefore folds into the predictor:
a scale for the rows of x and y, an offset for those of width and height.

Other centres cannot be folded in, as a predictor does not know its cell. The two sources that clip the centres too need
``SSDAnchorGenerator(clip_centers=True)``; see ``ConvertedWeights.clip_centers``.
"""

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssd_plugin.models.task_modules.prior_generators.default_box_sizes import BoxSizes

SIZE_VARIANCE = 0.2
# The authors' tilings: side of the input and smallest scale of the range that ends at 0.9.
PUBLISHED: Mapping[str, tuple[int, float]] = MappingProxyType(
    {
        'ssd300-voc': (300, 0.2),
        'ssd300-coco': (300, 0.15),
        'ssd512-voc': (512, 0.15),
        'ssd512-coco': (512, 0.1),
    }
)


def published_sizes(tiling: str) -> 'BoxSizes':
    """Give the sizes of a tiling of ``PUBLISHED`` before the authors' layer truncates them."""
    # Imported here and below: ``import ssd_plugin`` itself does not load mmdet, which takes seconds.
    from ssd_plugin.models.task_modules.prior_generators.default_box_sizes import level_sizes

    input_size, smallest = PUBLISHED[tiling]
    return level_sizes(input_size, 6 if input_size == 300 else 7, (smallest, 0.9))


def cell_boxes(sizes: 'BoxSizes', clip: float = inf) -> list[Tensor]:
    """Give width and height of a cell's boxes at every level.

    The order within a cell is the same in amdegroot/ssd.pytorch (layers/functions/prior_box.py), lufficc/SSD
    (ssd/modeling/anchors/prior_box.py) and pytorch/vision (torchvision/models/detection/anchor_utils.py).

    Args:
        sizes: The (min, max) sizes, pixels.
        clip: No side is longer than this.

    Returns:
        Per level (A, 2) float64: small square, large square, then wide and tall ones.
    """
    from ssd_plugin.models.task_modules.prior_generators.default_box_sizes import boxes_of_cell, level_ratios

    levels = zip(sizes.min, sizes.max, level_ratios(len(sizes.min)))
    return [torch.tensor(boxes_of_cell(*level), dtype=torch.float64).clamp(max=clip) for level in levels]


def rebase(weight: Tensor, bias: Tensor, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Make a predictor of deltas to the ``source`` boxes one of deltas to the ``target`` boxes.

    Args:
        weight: Of the convolution, (A * 4, channels, kernel, kernel); per box x, y, width, height.
        bias: Of the convolution, (A * 4,).
        source: Width and height of the boxes it was trained with, (A, 2), pixels.
        target: Width and height of the boxes it is to be used with, (A, 2), pixels.

    Returns:
        The new weight and bias: decoded with the target boxes and the variances 0.1 and 0.2, they give the boxes that
        the old ones gave with the source boxes. Rows of boxes that agree stay as they are, to the last bit.
    """
    ratio = source / target  # (A, 2)
    scale = torch.cat([ratio, torch.ones_like(ratio)], 1).reshape(-1)  # (A * 4,)
    offset = torch.cat([torch.zeros_like(ratio), ratio.log() / SIZE_VARIANCE], 1).reshape(-1)
    moved = (weight.double() * scale[:, None, None, None]).to(weight.dtype)
    return moved, (bias.double() * scale + offset).to(bias.dtype)
