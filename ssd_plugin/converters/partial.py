"""Starts a detector of other classes from a trained one, class by class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from types import MappingProxyType

import torch
from torch import Tensor

from ssd_plugin.errors import UserError

# COCO's name -> VOC's, where they differ.
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        'airplane': 'aeroplane',
        'couch': 'sofa',
        'dining table': 'diningtable',
        'motorcycle': 'motorbike',
        'potted plant': 'pottedplant',
        'tv': 'tvmonitor',
    }
)


@dataclass(frozen=True)
class ClassMapping:
    """What ``map_classes`` did.

    Attributes:
        mapped: (target class, source class) of every class whose channels were taken over.
        fresh: Target classes that the source does not know.
        dropped: Source classes that the target does not want.
        kept: Number of weights that were taken over unchanged.
        remade: Names of the weights whose channels were mapped.
    """

    mapped: tuple[tuple[str, str], ...]
    fresh: tuple[str, ...]
    dropped: tuple[str, ...]
    kept: int
    remade: tuple[str, ...]

    def __str__(self) -> str:
        renamed = [f'{source} as {target}' for target, source in self.mapped if target != source]
        return (
            f'{self.kept} weights kept; in {len(self.remade)} class predictors {len(self.mapped)} classes mapped'
            f'{_listed(renamed)}, {len(self.fresh)} fresh{_listed(self.fresh)}, {len(self.dropped)} dropped'
            f'{_listed(self.dropped)}'
        )


def map_classes(
    state_dict: Mapping[str, Tensor], source_classes: Sequence[str], target_classes: Sequence[str]
) -> tuple[dict[str, Tensor], ClassMapping]:
    """Rearrange the channels of the class predictors for other classes.

    A class that both know, by the same name or by COCO's and VOC's names of the same thing, keeps its channels, and the
    background keeps its own. A fresh class starts at the mean of the foreground channels, its bias lowered by the
    logarithm of the number of channels: faint enough to leave the other scores nearly as they were, and not random.

    Args:
        state_dict: Weights under our names, background last.
        source_classes: Foreground classes of the weights, in order.
        target_classes: Foreground classes wanted, in order.

    Returns:
        The new weights (unchanged tensors are shared with the old) and what was done.

    Raises:
        UserError: If a class is named twice or the predictors do not have the source's number of classes.
    """
    for what, names in (('source', source_classes), ('target', target_classes)):
        repeated = sorted({name for name in names if [_common(other) for other in names].count(_common(name)) > 1})
        if repeated or not names:
            raise UserError(f'{what} classes {", ".join(names)!r} repeat {repeated}, expected different names')
    positions = {_common(name): number for number, name in enumerate(source_classes)}
    chosen = [positions.get(_common(name)) for name in target_classes]
    weights: dict[str, Tensor] = {}
    remade = []
    for key, value in state_dict.items():
        if _is_class_predictor(key, state_dict):
            weights[key] = _remake(key, value, state_dict, len(source_classes), chosen)
            remade.append(key)
        else:
            weights[key] = value
    if not remade:
        raise UserError('the weights have no class predictors (bbox_head.cls_convs), expected a whole detector')
    mapped = tuple(
        (target, source_classes[number]) for target, number in zip(target_classes, chosen) if number is not None
    )
    fresh = tuple(target for target, number in zip(target_classes, chosen) if number is None)
    dropped = tuple(name for number, name in enumerate(source_classes) if number not in chosen)
    return weights, ClassMapping(mapped, fresh, dropped, len(weights) - len(remade), tuple(remade))


def _common(name: str) -> str:
    return _ALIASES.get(name, name)


def _listed(names: Sequence[str]) -> str:
    return f' ({", ".join(names)})' if names else ''


def _is_class_predictor(key: str, state_dict: Mapping[str, Tensor]) -> bool:
    """Find the last layer of a level's class branch; depthwise heads and stacked convolutions have others before it."""
    parts = key.split('.')
    if parts[:2] != ['bbox_head', 'cls_convs'] or len(parts) != 5:
        return False
    return not any(other.startswith(f'bbox_head.cls_convs.{parts[2]}.{int(parts[3]) + 1}.') for other in state_dict)


def _remake(
    key: str, value: Tensor, state_dict: Mapping[str, Tensor], source_count: int, chosen: Sequence[object]
) -> Tensor:
    box_key = key.replace('cls_convs', 'reg_convs')
    if box_key not in state_dict:
        raise UserError(f'{key!r} has no {box_key!r} beside it, expected a whole detector')
    boxes = len(state_dict[box_key]) // 4
    if len(value) != boxes * (source_count + 1):
        raise UserError(
            f'{key!r} has {len(value)} channels, expected {boxes} boxes times ({source_count} source classes + 1)'
        )
    per_box = value.reshape(boxes, source_count + 1, *value.shape[1:])  # (A, 1 + source classes, ...)
    fresh = per_box[:, :-1].mean(1)
    if value.dim() == 1:
        fresh = fresh - log(source_count + 1)
    channels = [per_box[:, number] if isinstance(number, int) else fresh for number in chosen]
    return torch.stack([*channels, per_box[:, -1]], 1).flatten(0, 1)
