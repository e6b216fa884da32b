"""Weights of torchvision's ``ssd300_vgg16``.

Source: pytorch/vision, torchvision/models/detection/ssd.py.
"""

from collections.abc import Mapping
from typing import Optional

from torch import Tensor

from . import assembly, layout
from .result import ConvertedWeights

KIND = 'torchvision'
_TILING = 'ssd300-coco'
COCO_IDS = 90
_UNUSED_COCO_IDS = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))


def convert(source: Mapping[str, Tensor], keep_unused_ids: bool = False) -> ConvertedWeights:
    """Convert the weights of an SSD300 of torchvision.

    Its preprocessing is ours: images of 0 to 1 minus (0.48235, 0.45882, 0.40784), divided by 1 / 255, are RGB pixels
    minus (123, 117, 104).

    Args:
        source: ``state_dict`` of the network.
        keep_unused_ids: The released weights have one class for each of COCO's 90 ids, 10 of which no image has. True
            keeps these; otherwise the usual 80 are left, in their usual order.

    Raises:
        UserError: If the weights are not those of an ``ssd300_vgg16``.
    """
    weights = assembly.place(source, _names(), KIND)
    found = assembly.count_classes(weights, KIND)
    assembly.check_shapes(weights, KIND, 300, found)
    chosen, notes = choose_classes(found, keep_unused_ids)
    assembly.select_classes(weights, found, chosen)
    assembly.rebase_boxes(weights, _TILING)
    return ConvertedWeights(KIND, weights, len(chosen) if chosen else found, default_boxes=_TILING, notes=notes)


def choose_classes(found: int, keep_unused_ids: bool) -> tuple[Optional[list[int]], tuple[str, ...]]:
    """Leave out COCO's ids that no image has.

    Args:
        found: Foreground classes of the weights.
        keep_unused_ids: Leave nothing out.

    Returns:
        The numbers from 1 of the classes to keep, None for all, and what the reader has to know about that.
    """
    if found != COCO_IDS or keep_unused_ids:
        return None, ()
    note = 'the 10 classes that stand for unused COCO ids are left out; --num-classes 90 keeps them'
    return [number for number in range(1, COCO_IDS + 1) if number not in _UNUSED_COCO_IDS], (note,)


def _names() -> dict[str, str]:
    modules: dict[str, str] = {}
    for name, number in layout.TRUNK.items():
        # The trunk is cut at pool4; what follows starts with that pool, and fc6 and fc7 sit in a part of their own.
        if name.startswith('fc'):
            modules[f'backbone.extra.0.7.{1 if name == "fc6" else 3}'] = layout.trunk(name)
        elif name.startswith('conv5'):
            modules[f'backbone.extra.0.{number - 23}'] = layout.trunk(name)
        else:
            modules[f'backbone.features.{number}'] = layout.trunk(name)
    for pair in range(4):
        for part in range(2):
            modules[f'backbone.extra.{pair + 1}.{2 * part}'] = layout.extra(pair, part)
    for level in range(6):
        modules[f'head.classification_head.module_list.{level}'] = layout.head('cls', level)
        modules[f'head.regression_head.module_list.{level}'] = layout.head('reg', level)
    return {'backbone.scale_weight': layout.L2_NORM, **layout.parameters(modules)}
