"""Checks a detector of any backbone, whose layers are not known: do those that can be told agree?"""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from ssd_plugin.errors import UserError

# Convolutions that follow each other, numbered in their order; depthwise ones between them keep the channels.
_CHAINS = (
    re.compile(r'backbone\.features\.(\d+)\.weight'),
    re.compile(r'neck\.extra_layers\.(\d+)\.(\d+)(?:\.pointwise_conv)?\.conv\.weight'),
)
_PREDICTORS = re.compile(r'bbox_head\.(?:cls|reg)_convs\.(\d+)\.(\d+)\.weight')
_NUMBERED = re.compile(r'(neck\.extra_layers|bbox_head\.cls_convs|bbox_head\.reg_convs)\.(\d+)\.')


def check_detector(weights: Mapping[str, Tensor], kind: str) -> None:
    """Check the levels, the channels from layer to layer and the biases.

    Args:
        weights: Under our names, each layer sound by itself.
        kind: Of the source, for messages.

    Raises:
        UserError: A level is missing, a layer does not take the channels that the one before gives, or one lacks the
            bias that the others have.
    """
    _check_levels(weights, kind)
    for pattern in (*_CHAINS, _PREDICTORS):
        found = [(tuple(map(int, match.groups())), key) for key in weights if (match := pattern.fullmatch(key))]
        # Batch normalisations between have weights of one dimension.
        keys = [key for _, key in sorted(found) if weights[key].dim() == 4]
        _check_biases(keys, weights, kind)
        if pattern is not _PREDICTORS:
            _check_chain(keys, weights, kind)


def _check_levels(weights: Mapping[str, Tensor], kind: str) -> None:
    levels: dict[str, set[int]] = {'bbox_head.cls_convs': set(), 'bbox_head.reg_convs': set()}
    for key in weights:
        found = _NUMBERED.match(key)
        if found:
            levels.setdefault(found[1], set()).add(int(found[2]))
    predictors = levels['bbox_head.cls_convs'] | levels['bbox_head.reg_convs']
    for name, numbers in levels.items():
        expected = range(max(predictors if name.startswith('bbox_head') else numbers, default=-1) + 1)
        missing = sorted(set(expected) - numbers)
        if missing:
            raise UserError(f"{kind} weights: '{name}.{missing[0]}' is missing, expected {len(expected)} levels")


def _check_biases(keys: Sequence[str], weights: Mapping[str, Tensor], kind: str) -> None:
    biases = [key.replace('.weight', '.bias') for key in keys]
    missing = [bias for bias in biases if bias not in weights]
    if 0 < len(missing) < len(biases):
        raise UserError(f'{kind} weights: key {missing[0]!r} is missing, which the other layers have')


def _check_chain(keys: Sequence[str], weights: Mapping[str, Tensor], kind: str) -> None:
    for before, key in zip(keys, keys[1:]):
        if weights[key].shape[1] != weights[before].shape[0]:
            raise UserError(
                f'{kind} weights: {key!r} has shape {tuple(weights[key].shape)}, expected {weights[before].shape[0]} '
                f'input channels as {before!r} gives'
            )
