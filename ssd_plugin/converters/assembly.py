"""Puts renamed weights into our conventions and checks that they make up a whole VGG SSD."""

from collections.abc import Mapping
from typing import Optional

import torch
from torch import Tensor

from ssd_plugin.errors import UserError

from . import layout
from .default_boxes import Tiling, rebase
from .result import ConvertedWeights, DataPreprocessor

TRUNK_NOTE = (
    "a trunk alone: use it as the backbone's init_cfg=dict(type='Pretrained', prefix='backbone.', checkpoint=...)"
)


def place(source: Mapping[str, Tensor], names: Mapping[str, str], kind: str) -> dict[str, Tensor]:
    """Renames the weights.

    Args:
        source: The weights under their own names.
        names: Source key -> our key, of every weight that must be there.
        kind: Of the source, for messages.

    Returns:
        The weights under our names.

    Raises:
        UserError: If a key has no place with us or one is missing.
    """
    for key, value in source.items():
        if key not in names:
            raise UserError(f'{kind} weights: key {key!r} of shape {_shape(value)} has no place in a VGG SSD300 or 512')
    for key, ours in names.items():
        if key not in source:
            raise UserError(f'{kind} weights: key {key!r} (our {ours!r}) is missing')
    return {ours: source[key] for key, ours in names.items()}


def count_levels(source: Mapping[str, Tensor], pattern: str, kind: str) -> int:
    """Number of predictors in the source.

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


def count_classes(weights: Mapping[str, Tensor], levels: int, kind: str) -> int:
    """Number of foreground classes, from the first predictor.

    Raises:
        UserError: If its channels do not divide among its default boxes.
    """
    key = f'{layout.head("cls", 0)}.weight'
    channels, boxes = weights[key].shape[0], layout.boxes_per_cell(levels)[0]
    if channels % boxes or channels // boxes < 2:
        raise UserError(f'{kind} weights: {key!r} has {channels} channels, expected {boxes} boxes times (1 + classes)')
    return channels // boxes - 1


def check_shapes(weights: Mapping[str, Tensor], levels: int, num_classes: int, kind: str) -> None:
    """Compares every shape with our network's.

    Raises:
        UserError: If one differs.
    """
    for key, shape in layout.expected_shapes(levels, num_classes).items():
        if tuple(weights[key].shape) != shape:
            raise UserError(f'{kind} weights: {key!r} has shape {_shape(weights[key])}, expected {shape}')


def bgr_to_rgb_conv1(weights: dict[str, Tensor]) -> None:
    """Makes a network that reads BGR read RGB: the first convolution's input channels change places."""
    weights[layout.FIRST_CONV] = weights[layout.FIRST_CONV].flip(1)


def select_classes(weights: dict[str, Tensor], num_classes: int, chosen: Optional[list[int]] = None) -> None:
    """Moves the background from the first class to the last, keeping the foreground classes asked for.

    Args:
        weights: Under our names; the class predictors are replaced in place.
        num_classes: Foreground classes that the predictors hold now.
        chosen: Their numbers from 1, in the order wanted; None for all.
    """
    order = torch.tensor([*(chosen or range(1, num_classes + 1)), 0])
    level = 0
    while f'{layout.head("cls", level)}.weight' in weights:
        for name in ('weight', 'bias'):
            key = f'{layout.head("cls", level)}.{name}'
            value = weights[key]
            per_box = value.reshape(-1, num_classes + 1, *value.shape[1:])  # (A, 1 + classes, ...)
            weights[key] = per_box[:, order].flatten(0, 1)
        level += 1


def rebase_boxes(weights: dict[str, Tensor], source: Tiling, target: Tiling) -> None:
    """Moves every box predictor, in place, from one tiling to another of the same centres."""
    for level in range(len(target.ratios)):
        module = layout.head('reg', level)
        weights[f'{module}.weight'], weights[f'{module}.bias'] = rebase(
            weights[f'{module}.weight'], weights[f'{module}.bias'], source.sizes(level), target.sizes(level)
        )


def ours(
    kind: str,
    weights: dict[str, Tensor],
    num_classes: Optional[int],
    default_boxes: Optional[str],
    notes: tuple[str, ...] = (),
) -> ConvertedWeights:
    """The result for a network that now reads RGB minus (123, 117, 104)."""
    return ConvertedWeights(kind, weights, num_classes, DataPreprocessor(), default_boxes, notes)


def _shape(value: Tensor) -> tuple[int, ...]:
    return tuple(value.shape)
