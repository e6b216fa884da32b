"""What SSD's parts have to know about a network, measured instead of typed."""

import copy
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Union

import torch
from torch import Tensor, nn

Size = tuple[int, int]


class MapShape(NamedTuple):
    """Shape of one feature map."""

    channels: int
    height: int
    width: int


class ExtraLevel(NamedTuple):
    """Shape of the second convolution of an extra level."""

    kernel: int
    stride: int
    padding: int


def input_size_pair(input_size: Union[int, Sequence[int]]) -> Size:
    """(W, H) of an input size given as one side or as a pair.

    Raises:
        ValueError: Not one or two positive whole numbers.
    """
    size = (input_size, input_size) if isinstance(input_size, int) else tuple(input_size)
    if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise ValueError(f'input_size={input_size!r}, expected one side or (width, height) in whole pixels')
    return size


def infer_feature_shapes(modules: Sequence[nn.Module], input_size: Size) -> list[MapShape]:
    """Shapes that a chain of modules gives for an input, found without computing anything.

    A copy is moved to the meta device: building there does not work for every backbone, running does.

    Args:
        modules: The backbone, or backbone and neck.
        input_size: (W, H) pixels.

    Returns:
        One shape per output map.
    """
    width, height = input_size
    x: Any = torch.empty((1, 3, height, width), device='meta')
    with torch.no_grad():
        for module in modules:
            copied = copy.deepcopy(module).to('meta')
            copied.eval()  # mmdet's backbones return nothing here
            x = copied(x)
    maps = [x] if isinstance(x, Tensor) else list(x)
    return [MapShape(*feature.shape[1:]) for feature in maps]


def plan_extra_layers(height: int, width: int) -> list[ExtraLevel]:
    """Extra levels that take a map down to a single row or column.

    Halve while the short side is even or larger than 5; take 5 and 3 down by unpadded 3x3 convolutions, and 2 by a
    padded 4x4. That is the published SSD300 (19, 10, 5, 3, 1) and SSD512 (32, 16, 8, 4, 2, 1), and goes on from there.

    Args:
        height: Rows of the backbone's last map.
        width: Columns of it.

    Returns:
        Shallow first; empty where the short side is 1 already.
    """
    levels = []
    while min(height, width) > 1:
        side = min(height, width)
        if side == 2:
            level = ExtraLevel(kernel=4, stride=1, padding=1)
        elif side in (3, 5):
            level = ExtraLevel(kernel=3, stride=1, padding=0)
        else:
            level = ExtraLevel(kernel=3, stride=2, padding=1)
        levels.append(level)
        height, width = ((side + 2 * level.padding - level.kernel) // level.stride + 1 for side in (height, width))
    return levels


def box_strides(maps: Sequence[MapShape], input_size: Size, exact: Sequence[bool]) -> list[tuple[float, float]]:
    """Steps between default box centres.

    Maps made by poolings and convolutions of stride 2 get a power of two, as published (8 and not 300 / 38); maps made
    by unpadded or 4x4 convolutions get the input's side over the map's (100 = 300 / 3).

    Args:
        maps: Maps of all levels.
        input_size: (W, H) pixels.
        exact: For every level, whether it takes the input's side over the map's.

    Returns:
        (w, h) pixels per level.

    Source: spec section 2.6.
    """
    strides = []
    for shape, divides in zip(maps, exact):
        ratios = (input_size[0] / shape.width, input_size[1] / shape.height)
        strides.append(ratios if divides else tuple(2.0 ** round(math.log2(ratio)) for ratio in ratios))
    return strides  # type: ignore[return-value]


def fill_missing(config: dict[str, Any], measured: dict[str, Any], where: str) -> dict[str, Any]:
    """A config with what was measured in the places left open; explicit values stay.

    Args:
        config: Keyword arguments of a part; missing or None = open.
        measured: What measuring gave.
        where: Name of the part, for the message.

    Raises:
        ValueError: An explicit number of channels or levels contradicts the network.
    """
    filled = dict(config)
    for key, value in measured.items():
        if filled.get(key) is None:
            filled[key] = value
        elif key == 'in_channels' and tuple(filled[key]) != tuple(value):
            raise ValueError(
                f'{where}.in_channels={tuple(filled[key])}, but the network before it gives {tuple(value)}'
            )
    return filled
