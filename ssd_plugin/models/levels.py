"""Raw outputs of the levels, read by default box."""

from typing import Callable, List, NamedTuple, Sequence, Tuple

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
    batch = len(maps[0])
    return torch.cat([level.permute(0, 2, 3, 1).reshape(batch, -1, width) for level in maps], 1)


class _Part(NamedTuple):
    """Logits of neighbouring default boxes, where the head left them.

    Attributes:
        values: (B, n, C + 1), or (B, A, C + 1, h * w) for a map in NCHW order.
        boxes: Number of default boxes n = A * h * w.
    """

    values: Tensor
    boxes: int


class LevelLogits:
    """Class logits of a batch, without a copy of the large levels.

    Args:
        maps: Per level (B, A * (C + 1), h, w), box-major channels, background last; in NCHW or channels-last order.
        classes: C + 1.
    """

    def __init__(self, maps: Sequence[Tensor], classes: int) -> None:
        self.maps = maps
        self.classes = classes
        self.parts: List[_Part] = []
        small: List[Tensor] = []
        for level in maps:
            batch, channels, height, width = level.shape
            count = channels // classes * height * width
            if level.numel() < SMALL:
                small.append(level)
                continue
            self._join(small)
            small = []
            if level.is_contiguous(memory_format=torch.channels_last):
                values = level.permute(0, 2, 3, 1).reshape(batch, count, classes)
            else:
                values = level.reshape(batch, -1, classes, height * width)
            self.parts.append(_Part(values, count))
        self._join(small)

    def _join(self, maps: Sequence[Tensor]) -> None:
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
            found = torch.cat([function(chunk.float(), axis) for chunk in torch.split(values, images)])
            columns.append(found if axis == values.dim() - 1 else found.transpose(1, 2).flatten(1))
        return torch.cat(columns, 1)

    def pick(self, rows: Tensor) -> Tuple[Tensor, Tensor]:
        """Logits of some default boxes.

        Args:
            rows: (R,) int64, positions in the flattened (B * N) batch.

        Returns:
            The positions, arranged by level, and (R, C + 1) float32.
        """
        total = sum(part.boxes for part in self.parts)
        image, prior = rows // total, rows % total
        arranged, picked = [], []
        start = 0
        for values, count in self.parts:
            here = ((prior >= start) & (prior < start + count)).nonzero()[:, 0]
            row, box = image[here], prior[here] - start
            if values.dim() == 3:
                # Whole rows at once, where indexing by image and box would go number by number.
                picked.append(values.flatten(0, 1).index_select(0, row * count + box))
            else:
                boxes = values.shape[1]
                picked.append(values[row, box % boxes, :, box // boxes])
            arranged.append(rows[here])
            start += count
        return torch.cat(arranged), torch.cat(picked).float()
