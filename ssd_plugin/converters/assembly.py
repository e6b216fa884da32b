"""Puts renamed weights into our conventions and checks that they make up a whole SSD."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Optional

import torch
from torch import Tensor

from ssd_plugin.errors import UserError

from . import default_boxes, layout

if TYPE_CHECKING:
    from ssd_plugin.models.task_modules.prior_generators.default_box_sizes import BoxSizes

TRUNK_NOTE = (
    "a trunk alone: use it as the backbone's init_cfg=dict(type='Pretrained', prefix='backbone.', checkpoint=...)"
)
VGG_SSD = 'a VGG SSD300 or 512'
# The last layer of a level's class branch, depthwise or not, ends in a number alone.
_CLASS_PREDICTOR = re.compile(r'bbox_head\.cls_convs\.\d+\.\d+\.(weight|bias)')


def place(
    source: Mapping[str, Tensor], names: Mapping[str, str], kind: str, network: str = VGG_SSD
) -> dict[str, Tensor]:
    """Rename the weights.

    Args:
        source: The weights under their own names.
        names: Source key -> our key, of every weight that must be there.
        kind: Of the source, for messages.
        network: What the weights must make up, for messages.

    Returns:
        The weights under our names.

    Raises:
        UserError: If a key has no place with us or one is missing.
    """
    for key, value in source.items():
        if key not in names:
            raise UserError(f'{kind} weights: key {key!r} of shape {_shape(value)} has no place in {network}')
    for key, ours in names.items():
        if key not in source:
            raise UserError(f'{kind} weights: key {key!r} (our {ours!r}) is missing')
    return {ours: source[key] for key, ours in names.items()}


def count_levels(source: Mapping[str, Tensor], pattern: str, kind: str) -> int:
    """Count the predictors of the source.

    Args:
        source: The weights under their own names.
        pattern: Key of a predictor's weight, with ``{}`` for the level.
        kind: Of the source, for messages.

    Raises:
        UserError: If it is neither SSD300's 6 nor SSD512's 7.
    """
    levels = 0
    while pattern.format(levels) in source:
        levels += 1
    if levels not in (6, 7):
        raise UserError(
            f'{kind} weights: {levels} predictors ({pattern.format(0)!r} and on), expected 6 (SSD300) or 7 (SSD512)'
        )
    return levels


def count_classes(weights: Mapping[str, Tensor], kind: str) -> int:
    """Count the foreground classes: for every default box, the predictors have 4 box and 1 + classes class channels.

    Args:
        weights: Under our names.
        kind: Of the source, for messages.

    Raises:
        UserError: If the channels do not divide among the default boxes, or the predictors do not agree.
    """
    found = set()
    for key, value in weights.items():
        if not _CLASS_PREDICTOR.fullmatch(key) or key.endswith('weight'):
            continue
        box_key = key.replace('cls_convs', 'reg_convs')
        boxes = len(weights[box_key]) // 4 if box_key in weights else 0
        if boxes == 0 or len(value) % boxes or len(value) < 2 * boxes:
            raise UserError(
                f'{kind} weights: {key!r} has {len(value)} channels, expected {boxes} boxes times (1 + classes)'
            )
        found.add(len(value) // boxes - 1)
    if len(found) != 1:
        raise UserError(f'{kind} weights: predictors of {sorted(found)} classes, expected predictors that agree')
    return found.pop()


def check_shapes(weights: Mapping[str, Tensor], kind: str, input_size: int = 300, num_classes: int = 1) -> None:
    """Compare the shapes of weights, a trunk's or all, with our network's.

    Args:
        weights: Under our names.
        kind: Of the source, for messages.
        input_size: 300 or 512; the trunk is the same.
        num_classes: Foreground classes of the predictors, if there are any.

    Raises:
        UserError: If one differs.
    """
    compare_shapes(weights, kind, layout.expected_shapes(input_size, num_classes))


def compare_shapes(weights: Mapping[str, Tensor], kind: str, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Compare the shapes of weights with those of a network's weights of the same names.

    Args:
        weights: Under our names.
        kind: Of the source, for messages.
        expected: Shapes of the network's weights.

    Raises:
        UserError: If one differs.
    """
    for key, value in weights.items():
        if tuple(value.shape) != expected[key]:
            raise UserError(f'{kind} weights: {key!r} has shape {_shape(value)}, expected {expected[key]}')


def bgr_to_rgb_conv1(weights: dict[str, Tensor]) -> None:
    """Make a network that reads BGR read RGB: the first convolution's input channels change places."""
    weights[layout.FIRST_CONV] = weights[layout.FIRST_CONV].flip(1)


def select_classes(weights: dict[str, Tensor], num_classes: int, chosen: Optional[list[int]] = None) -> None:
    """Move the background from the first class to the last, keeping the foreground classes asked for.

    Args:
        weights: Under our names; the class predictors are replaced in place.
        num_classes: Foreground classes that the predictors hold now.
        chosen: Their numbers from 1, in the order wanted; None for all.
    """
    order = torch.tensor([*(chosen or range(1, num_classes + 1)), 0])
    for key, value in weights.items():
        if _CLASS_PREDICTOR.fullmatch(key):
            per_box = value.reshape(-1, num_classes + 1, *value.shape[1:])  # (A, 1 + classes, ...)
            weights[key] = per_box[:, order].flatten(0, 1)


def rebase_boxes(weights: dict[str, Tensor], tiling: str, sizes: Optional['BoxSizes'] = None) -> None:
    """Move every box predictor, in place, from default boxes clipped to the input's size to a published tiling.

    Args:
        weights: Under our names.
        tiling: One of ``default_boxes.PUBLISHED``.
        sizes: The source's (min, max) sizes before clipping, ``None`` for those of the tiling.
    """
    published = default_boxes.published_sizes(tiling).truncate()
    source = default_boxes.cell_boxes(sizes or published, clip=default_boxes.PUBLISHED[tiling][0])
    for level, (before, after) in enumerate(zip(source, default_boxes.cell_boxes(published))):
        weight, bias = (f'{layout.head("reg", level)}.{name}' for name in ('weight', 'bias'))
        weights[weight], weights[bias] = default_boxes.rebase(weights[weight], weights[bias], before, after)


def _shape(value: Tensor) -> tuple[int, ...]:
    return tuple(value.shape)
