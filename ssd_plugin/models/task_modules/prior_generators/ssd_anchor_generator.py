"""SSD's default boxes at any input size."""

from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmdet.models.task_modules.prior_generators import AnchorGenerator
from mmdet.structures.bbox import HorizontalBoxes, get_box_tensor
from torch import Tensor
from torch.nn.modules.utils import _pair

from ssd_plugin.errors import UserError
from ssd_plugin.registry import TASK_UTILS

from .default_box_sizes import BoxSizes, MaxSizes, Number, Sizes, boxes_of_cell, level_ratios, level_sizes


@TASK_UTILS.register_module()
class SSDAnchorGenerator(AnchorGenerator):
    """Lay SSD's default boxes over the levels of a network; a drop-in for mmdet's generator of the same name.

    Boxes of a cell come in the authors' order: for each (min, max) pair the square of side ``min``, the square of side
    ``sqrt(min * max)``, then for each ratio the wide and the tall box. Cells run along x first.

    Args:
        strides: Step between box centres in pixels of the input, per level; an int, or (w, h). ``None`` only inside
            :class:`ssd_plugin.models.SSD`, which measures it.
        ratios: Aspect ratios of each level beside 1; each adds a wide and a tall box, so that [2, 0.5] is [2]. With
            several (min, max) pairs at a level, its entry is either one list for all pairs or a list of lists, one per
            pair. ``None``: [2] at the first and the last two levels, [2, 3] between, which is what all published SSDs
            use.
        min_sizes: Side of the small square in pixels, per level; a sequence holds several pairs. ``None``: derived.
        max_sizes: The matching larger sizes; ``None`` as an entry leaves the larger square out.
        basesize_ratio_range: Smallest and largest scale of the derived sizes, as fractions of the short side.
        input_size: Side of the square network input, or (W, H), in pixels. Only needed for derived sizes and
            ``clip_centers``.
        first_ratio: Scale of the first level's small square as a fraction. ``None``: the published 0.10, 0.07 and 0.04
            beneath 0.20, 0.15 and 0.10, and half of the smallest scale beneath any other.
        truncate_sizes: Cut all sizes, derived or given, to whole pixels, as the authors' layer does. mmdet keeps the
            fractions of sizes given.
        clip_centers: Move boxes whose centre lies outside the input onto its border, as amdegroot/ssd.pytorch and
            lufficc/SSD do: the last row and column of SSD300's 10x10 map have their centres at 300 pixels instead of
            304. The authors do not clip. Weights converted from these two were trained so.
        scale_major: Accepted for mmdet's configs, where it is always False.
        use_box_type: Return mmdet's ``HorizontalBoxes`` instead of tensors.

    Raises:
        UserError: A value contradicts another; the message names both.

    Source: docs/fidelity.md section 2; ``weiliu89/caffe: src/caffe/layers/prior_box_layer.cpp``.
    """

    def __init__(
        self,
        strides: Optional[Sequence[Union[Number, tuple[Number, Number]]]],
        ratios: Optional[Sequence[Sequence]] = None,
        min_sizes: Optional[Sequence[Sizes]] = None,
        max_sizes: Optional[Sequence[MaxSizes]] = None,
        basesize_ratio_range: tuple[float, float] = (0.15, 0.9),
        input_size: Union[int, tuple[int, int]] = 300,
        first_ratio: Optional[float] = None,
        truncate_sizes: bool = True,
        clip_centers: bool = False,
        scale_major: bool = False,
        use_box_type: bool = False,
    ) -> None:
        if strides is None:
            raise UserError('anchor_generator.strides: None is measured by ssd_plugin.SSD, expected one step per level')
        if scale_major:
            raise UserError('anchor_generator.scale_major: True, expected False: SSD lists the squares of a cell first')
        if (min_sizes is None) != (max_sizes is None):
            raise UserError(
                f'anchor_generator.min_sizes: {min_sizes} with max_sizes={max_sizes}, expected both or neither'
            )
        self.strides = [_pair(stride) for stride in strides]
        self.centers = [(width / 2.0, height / 2.0) for width, height in self.strides]
        self.input_size: tuple[int, int] = _pair(input_size)
        self.basesize_ratio_range = tuple(basesize_ratio_range)
        levels = len(self.strides)
        if min_sizes is None:
            sizes = level_sizes(min(self.input_size), levels, self.basesize_ratio_range, first_ratio)
        else:
            assert max_sizes is not None
            sizes = BoxSizes(list(min_sizes), list(max_sizes))
        if truncate_sizes:
            sizes = sizes.truncate()
        self.box_ratios = level_ratios(levels) if ratios is None else [list(level) for level in ratios]
        counts = dict(min_sizes=len(sizes.min), max_sizes=len(sizes.max), ratios=len(self.box_ratios))
        wrong = {name: count for name, count in counts.items() if count != levels}
        if wrong:
            raise UserError(
                f'anchor_generator: {wrong} entries, expected {levels} of each, one per level as of strides'
            )
        self.min_sizes, self.max_sizes = sizes.min, sizes.max
        self.clip_centers = clip_centers
        self.scale_major = False
        self.center_offset = 0.0
        self.use_box_type = use_box_type
        self.base_anchors = self.gen_base_anchors()

    def gen_base_anchors(self) -> list[Tensor]:
        """Make the boxes of the first cell of every level.

        Returns:
            Per level (A, 4) float32, xyxy in pixels, not clipped.
        """
        base_anchors = []
        for level, (x, y) in enumerate(self.centers):
            shapes = boxes_of_cell(self.min_sizes[level], self.max_sizes[level], self.box_ratios[level])
            corners = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for w, h in shapes]
            base_anchors.append(torch.tensor(corners, dtype=torch.float32))
        return base_anchors

    def single_level_grid_priors(
        self,
        featmap_size: tuple[int, int],
        level_idx: int,
        dtype: torch.dtype = torch.float32,
        device: Union[str, torch.device] = 'cuda',
    ) -> Union[Tensor, HorizontalBoxes]:
        """Lay the boxes of a level over its map.

        Args:
            featmap_size: (h, w) of the map.
            level_idx: Number of the level.
            dtype: Of the boxes.
            device: Where they are wanted.

        Returns:
            (h * w * A, 4) xyxy in pixels.
        """
        priors = super().single_level_grid_priors(featmap_size, level_idx, dtype, device)
        if not self.clip_centers:
            return priors
        boxes = get_box_tensor(priors)
        centers = (boxes[:, :2] + boxes[:, 2:]) / 2
        inside = centers.clamp(min=0).minimum(centers.new_tensor(self.input_size))
        boxes = boxes + (inside - centers).repeat(1, 2)
        return HorizontalBoxes(boxes) if self.use_box_type else boxes

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(strides={self.strides}, ratios={self.box_ratios}, min_sizes={self.min_sizes}, '
            f'max_sizes={self.max_sizes}, clip_centers={self.clip_centers})'
        )
