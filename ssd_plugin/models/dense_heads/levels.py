"""Raw outputs of the levels, read by default box."""

from collections.abc import Sequence
from typing import Callable, NamedTuple

import torch
from torch import Tensor

# A level of fewer numbers is copied into one tensor with the other small ones: that costs less than steps of its own.
SMALL = 1 << 20
# Numbers worked on at a time: what a step leaves for the next one then stays in the CPU's cache.
CHUNK = 1 << 19


def flatten_levels(maps: Sequence[Tensor], width: int) -> Tensor:
    """Predictions of all levels in the order of the default boxes.

    Args:
        maps: Per level (B, A * width, h, w), box-major channels.
        width: Numbers per box.

    Returns:
        (B, N, width).
    """
    return torch.cat([_by_box(level, width) for level in maps], 1)


def _join(parts: Sequence[Tensor], axis: int) -> Tensor:
    """The parts as one tensor; a copy only of several."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), axis)


def _by_box(level: Tensor, width: int) -> Tensor:
    """(B, A * width, h, w) as (B, h * w * A, width)."""
    return level.permute(0, 2, 3, 1).reshape(level.shape[0], -1, width)


class _Part(NamedTuple):
    """Logits of neighbouring default boxes, where the head left them.

    Attributes:
        values: (B, n, C + 1), or (B, A, C + 1, h * w) for a map in NCHW order.
        boxes: Number of default boxes n = A * h * w.
    """

    values: Tensor
    boxes: int

    def pick(self, image: Tensor, box: Tensor) -> Tensor:
        """(R, C + 1) of the boxes (R,) of the images (R,)."""
        if self.values.dim() == 3:
            # Whole rows at once, where indexing by image and box would go number by number.
            return self.values.flatten(0, 1).index_select(0, image * self.boxes + box)
        shapes = self.values.shape[1]
        return self.values[image, box % shapes, :, box // shapes]


class LevelLogits:
    """Class logits of a batch, without a copy of the large levels.

    Args:
        maps: Per level (B, A * (C + 1), h, w), box-major channels, background last; in NCHW or channels-last order.
        classes: C + 1.

    Attributes:
        level_sizes: Number of default boxes of every level, N in all.
    """

    def __init__(self, maps: Sequence[Tensor], classes: int) -> None:
        self.maps = maps
        self.classes = classes
        self.parts: list[_Part] = []
        self.level_sizes: list[int] = []
        small: list[Tensor] = []
        for level in maps:
            batch, channels, height, width = level.shape
            count = channels // classes * height * width
            self.level_sizes.append(count)
            if level.numel() < SMALL:
                small.append(level)
                continue
            self._add_joined(small)
            small = []
            if level.is_contiguous(memory_format=torch.channels_last):
                values = _by_box(level, classes)
            else:
                values = level.reshape(batch, -1, classes, height * width)
            self.parts.append(_Part(values, count))
        self._add_joined(small)

    def _add_joined(self, maps: Sequence[Tensor]) -> None:
        if maps:
            values = flatten_levels(maps, self.classes)
            self.parts.append(_Part(values, values.shape[1]))

    def joined(self) -> Tensor:
        """All of them, (B, N, C + 1) float32."""
        return flatten_levels(self.maps, self.classes).float()

    def reduce(self, function: Callable[[Tensor, int], Tensor]) -> Tensor:
        """One number per default box.

        Args:
            function: Takes logits and the dimension of the classes, and leaves that dimension out.

        Returns:
            (B, N) float32.
        """
        columns = []
        for values, count in self.parts:
            images = max(1, CHUNK // (count * self.classes))
            axis = values.shape.index(self.classes, 2)
            found = _join([function(chunk.float(), axis) for chunk in torch.split(values, images)], 0)
            columns.append(found if axis == values.dim() - 1 else found.transpose(1, 2).flatten(1))
        return _join(columns, 1)

    def pick(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of some default boxes.

        Args:
            rows: (R,) int64, positions in the flattened (B * N) batch.

        Returns:
            The positions, arranged by level, and (R, C + 1) float32.
        """
        (part, *others), total = self.parts, sum(self.level_sizes)
        if not others and part.values.dim() == 3:
            return rows, part.values.flatten(0, 1).index_select(0, rows).float()
        image, prior = rows // total, rows % total
        arranged, picked = [], []
        start = 0
        for part in self.parts:
            here = ((prior >= start) & (prior < start + part.boxes)).nonzero()[:, 0]
            picked.append(part.pick(image[here], prior[here] - start))
            arranged.append(rows[here])
            start += part.boxes
        return torch.cat(arranged), torch.cat(picked).float()
