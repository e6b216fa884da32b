"""Checks that a network takes every size of a training at several sizes."""

from collections.abc import Iterable, Sequence
from typing import Any, Optional

from mmdet.models.data_preprocessors import BatchSyncRandomResize
from torch import nn

from ssd_plugin.errors import UserError

from .geometry import MapShape, Size, infer_feature_shapes


def check_random_sizes(batch_augments: Iterable[Any], input_size: Size, parts: Sequence[nn.Module]) -> None:
    """Run the network once for every size that mmdet's ``BatchSyncRandomResize`` may draw.

    Otherwise a size that it cannot take, such as one too small for the last level, would end a training somewhere on
    the way, when it is drawn.

    Args:
        batch_augments: Those of the data preprocessor.
        input_size: (W, H) of the images that they resize, pixels.
        parts: Backbone and necks, in the order in which they run.

    Raises:
        UserError: There is such a size; the line has those that the network takes.
    """
    for augment in batch_augments:
        if not isinstance(augment, BatchSyncRandomResize):
            continue
        refusals = {size: _refusal(parts, size) for size in _sizes(augment, input_size)}
        refused = next((size for size, error in refusals.items() if error), None)
        if refused is not None:
            taken = ', '.join(f'{width}x{height}' for (width, height), error in refusals.items() if not error)
            raise UserError(
                f'model.data_preprocessor.batch_augments: BatchSyncRandomResize draws {refused[0]}x{refused[1]} too '
                '(width x height), which the network cannot take, expected a random_size_range of what it takes: '
                f'{taken or "none of these sizes"}'
            ) from refusals[refused]


def _sizes(augment: BatchSyncRandomResize, input_size: Size) -> list[Size]:
    width, height = input_size
    smallest, largest = augment._random_size_range  # of the height, in multiples of the divisor
    divisor = augment._size_divisor
    return [(divisor * int(width / height * side), divisor * side) for side in range(smallest, largest + 1)]


def _refusal(parts: Sequence[nn.Module], size: Size) -> Optional[UserError]:
    width, height = size
    maps: Any = MapShape(3, height, width)
    try:
        for part in parts:
            maps = infer_feature_shapes(part, maps)
    except UserError as error:
        return error
    return None
