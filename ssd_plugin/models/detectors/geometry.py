"""What SSD's parts have to know about a network, measured instead of typed."""

import copy
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Union

import torch
from torch import Tensor, nn

from ssd_plugin.errors import UserError

Size = tuple[int, int]

# How far outside the image a default box centre may lie, as a share of its side: SSD300's third level ends at 304.
CENTRE_SLACK = 0.02


class MapShape(NamedTuple):
    """Shape of one feature map, or of the image."""

    channels: int
    height: int
    width: int


class ExtraLayer(NamedTuple):
    """Shape of the second convolution of an extra layer."""

    kernel: int
    stride: int
    padding: int


def input_size_pair(input_size: Union[int, Sequence[int]]) -> Size:
    """Read an input size given as one side or as a pair.

    Returns:
        (W, H).

    Raises:
        UserError: Not one or two positive whole numbers.
    """
    size = (input_size, input_size) if isinstance(input_size, int) else tuple(input_size)
    if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise UserError(f'model.input_size: {input_size!r}, expected one side or (width, height) in whole pixels')
    return size


def infer_feature_shapes(module: nn.Module, inputs: Union[MapShape, Sequence[MapShape]]) -> list[MapShape]:
    """Find the shapes that a part gives for some inputs.

    A copy is run on the meta device, which computes nothing (building there does not work for every backbone, running
    does); a part that the meta device cannot run, such as one with compiled ops, is run on zeros.

    Args:
        module: A backbone or a neck.
        inputs: Shape of the image, or of the maps.

    Returns:
        One shape per output map.

    Raises:
        UserError: The part cannot take these inputs.
    """

    def run(copied: nn.Module, device: Union[str, torch.device]) -> Any:
        copied.eval()  # mmdet's backbones return nothing here
        with torch.no_grad():
            if isinstance(inputs, MapShape):
                return copied(torch.zeros((1, *inputs), device=device))
            return copied(tuple(torch.zeros((1, *shape), device=device) for shape in inputs))

    try:
        outputs = run(copy.deepcopy(module).to('meta'), 'meta')
    except Exception:  # Whatever it was, running it for real will say so again.
        try:
            outputs = run(copy.deepcopy(module), next(module.parameters()).device)
        except UserError:  # such as an op that mmcv-lite lacks
            raise
        except Exception as error:
            image = f'{inputs.width}x{inputs.height}' if isinstance(inputs, MapShape) else f'maps {list(inputs)}'
            reason = (str(error).strip().splitlines() or [''])[0]
            raise UserError(
                f'model: {type(module).__name__} cannot take {image} ({type(error).__name__}: {reason}), '
                'expected another input_size (multiples of 32 suit most), or other settings of this part'
            ) from error
    return [MapShape(*level.shape[1:]) for level in ([outputs] if isinstance(outputs, Tensor) else outputs)]


def plan_extra_layers(height: int, width: int) -> list[ExtraLayer]:
    """Plan the extra layers that take a map down to a single row or column.

    Halve while the short side is even or larger than 5; take 5 and 3 down by unpadded 3x3 convolutions, and 2 by a
    padded 4x4. That is the published SSD300 (19, 10, 5, 3, 1) and SSD512 (32, 16, 8, 4, 2, 1), and goes on from there.

    Args:
        height: Rows of the last map before them.
        width: Columns of it.

    Returns:
        Shallow first; empty where the short side is 1 already.
    """
    layers = []
    while min(height, width) > 1:
        side = min(height, width)
        if side == 2:
            layer = ExtraLayer(kernel=4, stride=1, padding=1)
        elif side in (3, 5):
            layer = ExtraLayer(kernel=3, stride=1, padding=0)
        else:
            layer = ExtraLayer(kernel=3, stride=2, padding=1)
        layers.append(layer)
        height, width = ((side + 2 * layer.padding - layer.kernel) // layer.stride + 1 for side in (height, width))
    return layers


def off_grid_levels(neck: Any, num_levels: int) -> list[bool]:
    """Tell which levels an unpadded or even kernel took off the backbone's grid of powers of two.

    Args:
        neck: SSDNeck, ours or mmdet's; any other part has none.
        num_levels: Levels that it gives.
    """
    off_grid = False
    flags = []
    for layer in getattr(neck, 'extra_layers', []):
        # Such a layer makes the map smaller without a stride.
        off_grid |= all(conv.stride == (1, 1) for conv in layer.modules() if isinstance(conv, nn.Conv2d))
        flags.append(off_grid)
    return [False] * (num_levels - len(flags)) + flags


def box_strides(maps: Sequence[MapShape], input_size: Size, off_grid: Sequence[bool]) -> list[tuple[float, float]]:
    """Choose the steps between default box centres.

    Maps made by poolings and convolutions of stride 2 get a power of two, as published (8 and not 300 / 38), unless the
    last centre would lie outside the image; such maps, and those made by unpadded or 4x4 convolutions, get the input's
    side over the map's (100 = 300 / 3).

    Args:
        maps: Maps of all levels.
        input_size: (W, H) pixels.
        off_grid: For every level, whether it takes the input's side over the map's.

    Returns:
        (w, h) pixels per level.

    Source: docs/fidelity.md section 2.
    """

    def step(side: int, cells: int, exact: bool) -> float:
        power = 2.0 ** round(math.log2(side / cells))
        outside = (cells - 0.5) * power > side * (1 + CENTRE_SLACK)
        return side / cells if exact or outside else power

    width, height = input_size
    return [
        (step(width, shape.width, exact), step(height, shape.height, exact)) for shape, exact in zip(maps, off_grid)
    ]


def describe_levels(prior_generator: Any, maps: Sequence[MapShape]) -> list[tuple[str, str, str, str, str, int]]:
    """List the rows of the table that a log shows.

    Args:
        prior_generator: An anchor generator with ``base_anchors``.
        maps: Maps of all levels.

    Returns:
        Per level its number, map, channels, step, sizes of the default boxes (square root of the area, pixels) and
        number of them.
    """
    rows = []
    for level, shape in enumerate(maps):
        boxes = prior_generator.base_anchors[level]
        sides = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
        step = 'x'.join(f'{value:g}' for value in prior_generator.strides[level])
        sizes = f'{float(sides.min()):.0f}..{float(sides.max()):.0f}'
        count = shape.width * shape.height * len(boxes)
        rows.append((str(level), f'{shape.width}x{shape.height}', str(shape.channels), step, sizes, count))
    return rows
