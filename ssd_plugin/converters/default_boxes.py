"""Moves a box predictor from one set of default boxes to another of the same centres, exactly.

Some sources clip the sides of their default boxes to those of the input, and one keeps the fractions of SSD512's sizes,
which the authors truncate to whole pixels. We tile as the authors do, so the same raw numbers would mean other boxes
with us. Decoding is linear in the shift and exponential in the size; the difference therefore folds into the predictor:
a scale for the rows of x and y, an offset for those of width and height.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType

import torch
from torch import Tensor

_RATIOS_300 = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
_RATIOS_512 = ((2,), (2, 3), (2, 3), (2, 3), (2, 3), (2,), (2,))
SIZE_VARIANCE = 0.2


@dataclass(frozen=True)
class Tiling:
    """Sizes of the default boxes of one network.

    Attributes:
        edges: The smaller square's side per level, in pixels of the input, and one more: level i's larger square has
            the side sqrt(edges[i] * edges[i + 1]).
        ratios: Width over height, beside 1, per level; each also turned.
        clip: No side is longer than this.
    """

    edges: tuple[float, ...]
    ratios: tuple[tuple[int, ...], ...]
    clip: float = inf

    def sizes(self, level: int) -> Tensor:
        """Width and height of a cell's boxes, float64 (A, 2): small square, large square, then wide and tall ones.

        Source: the authors' src/caffe/layers/prior_box_layer.cpp. The order of amdegroot/ssd.pytorch
        (layers/functions/prior_box.py), lufficc/SSD (ssd/modeling/anchors/prior_box.py) and pytorch/vision
        (torchvision/models/detection/anchor_utils.py) is the same.
        """
        small = self.edges[level]
        large = (small * self.edges[level + 1]) ** 0.5
        sides = [(small, small), (large, large)]
        for ratio in self.ratios[level]:
            wide = (small * ratio**0.5, small / ratio**0.5)
            sides += [wide, wide[::-1]]
        return torch.tensor(sides, dtype=torch.float64).clamp(max=self.clip)


# The authors' tilings, sizes truncated to whole pixels as their layer does.
PUBLISHED: Mapping[str, Tiling] = MappingProxyType(
    {
        'ssd300-voc': Tiling((30, 60, 111, 162, 213, 264, 315), _RATIOS_300),
        'ssd300-coco': Tiling((21, 45, 99, 153, 207, 261, 315), _RATIOS_300),
        'ssd512-voc': Tiling((35, 76, 153, 230, 307, 384, 460, 537), _RATIOS_512),
        'ssd512-coco': Tiling((20, 51, 133, 215, 296, 378, 460, 542), _RATIOS_512),
    }
)


def rebase(weight: Tensor, bias: Tensor, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Makes a predictor of deltas to the ``source`` boxes one of deltas to the ``target`` boxes.

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
