"""Weights of torchvision's ``ssdlite320_mobilenet_v3_large``.

Source: pytorch/vision, torchvision/models/detection/ssdlite.py and torchvision/models/mobilenetv3.py.
"""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from ssd_plugin.shipped_configs import configs_folder

from . import assembly, default_boxes, layout
from .result import ConvertedWeights, DataPreprocessor
from .torchvision import choose_classes

KIND = 'torchvision-ssdlite'
CONFIG = 'configs/ssdlite/ssdlite320_mobilenetv3-large_coco.py'
_MODEL = '_base_/models/ssdlite320_mobilenetv3-large.py'
_INPUT_SIZE = 320
_LEVELS = 6
# The block whose first convolution ends the first half of their backbone, and whose others begin the second.
_CUT = 13
_LAST_CONV = 'backbone.features.1.3.0.weight'
_REDUCED_WIDTH = 480
_NORM = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')


def convert(source: Mapping[str, Tensor], keep_unused_ids: bool = False) -> ConvertedWeights:
    """Convert the weights of an SSDLite320 of torchvision.

    Args:
        source: ``state_dict`` of the network, its tail reduced (the released weights) or whole (trained from a
            classifier's weights).
        keep_unused_ids: As of :func:`.torchvision.convert`.

    Raises:
        UserError: If the weights are not those of an ``ssdlite320_mobilenet_v3_large``.
    """
    weights = assembly.place(source, _names(), KIND, "torchvision's ssdlite320_mobilenet_v3_large")
    found = assembly.count_classes(weights, KIND)
    model = Config.fromfile(configs_folder() / _MODEL).model
    model.backbone.reduced_tail = len(source[_LAST_CONV]) == _REDUCED_WIDTH
    model.bbox_head.num_classes = found
    assembly.compare_shapes(weights, KIND, _expected_shapes(model))
    chosen, notes = choose_classes(found, keep_unused_ids)
    assembly.select_classes(weights, found, chosen)
    _rebase_boxes(weights, model.bbox_head.anchor_generator)
    notes += (f'the network is that of {CONFIG}',)
    if not model.backbone.reduced_tail:
        notes += ('its tail is whole, which the config has to say: model = dict(backbone=dict(reduced_tail=False))',)
    preprocessor = DataPreprocessor((127.5,) * 3, (127.5,) * 3, bgr_to_rgb=True)
    return ConvertedWeights(KIND, weights, len(chosen) if chosen else found, preprocessor, notes=notes)


def _expected_shapes(model: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    # Imported here and below: ``import ssd_plugin`` itself does not load mmdet, which takes seconds.
    from mmdet.registry import MODELS

    with torch.device('meta'):  # the shapes alone: no memory, no random numbers
        network = MODELS.build({**model, 'data_preprocessor': None, 'train_cfg': None})
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def _rebase_boxes(weights: dict[str, Tensor], anchor_generator: dict[str, Any]) -> None:
    """Move every box predictor, in place, from default boxes clipped to the input's size to those of the config."""
    from mmdet.registry import TASK_UTILS

    for level, boxes in enumerate(TASK_UTILS.build(anchor_generator).base_anchors):
        sizes = (boxes[:, 2:] - boxes[:, :2]).double()
        weight, bias = (f'bbox_head.reg_convs.{level}.1.{name}' for name in ('weight', 'bias'))
        source = sizes.clamp(max=_INPUT_SIZE)
        weights[weight], weights[bias] = default_boxes.rebase(weights[weight], weights[bias], source, sizes)


def _names() -> dict[str, str]:
    """Give source key -> our key."""
    # Source module -> our module: convolutions with a batch normalisation, and convolutions with a bias.
    normalised, biased = _trunk()
    for level in range(_LEVELS - 2):
        for position, part in enumerate(('0', '1.depthwise_conv', '1.pointwise_conv')):
            normalised[f'backbone.extra.{level}.{position}'] = f'neck.extra_layers.{level}.{part}'
    for branch, ours in (('classification', 'cls'), ('regression', 'reg')):
        for level in range(_LEVELS):
            theirs = f'head.{branch}_head.module_list.{level}'
            normalised[f'{theirs}.0'] = f'bbox_head.{ours}_convs.{level}.0'
            biased[f'{theirs}.1'] = f'bbox_head.{ours}_convs.{level}.1'
    names = layout.parameters(biased)
    for theirs, module in normalised.items():
        names[f'{theirs}.0.weight'] = f'{module}.conv.weight'
        names.update({f'{theirs}.1.{name}': f'{module}.bn.{name}' for name in _NORM})
    return names


def _trunk() -> tuple[dict[str, str], dict[str, str]]:
    from ssd_plugin.models.backbones.mobilenetv3 import BLOCKS

    normalised = {
        'backbone.features.0.0': 'backbone.layers.0',
        f'backbone.features.1.{len(BLOCKS) + 1 - _CUT}': f'backbone.layers.{len(BLOCKS) + 1}',
    }
    biased: dict[str, str] = {}
    for number, block in enumerate(BLOCKS, start=1):
        parts = ['expand_conv'] * (number > 1) + ['depthwise_conv'] + ['se'] * block.squeezes + ['linear_conv']
        for position, part in enumerate(parts):
            if number < _CUT:
                theirs = f'backbone.features.0.{number}.block.{position}'
            elif number > _CUT:
                theirs = f'backbone.features.1.{number - _CUT}.block.{position}'
            else:
                theirs = f'backbone.features.1.0.{position}' if position else f'backbone.features.0.{_CUT}'
            ours = f'backbone.layers.{number}.{part}'
            if part == 'se':
                biased.update({f'{theirs}.fc{i}': f'{ours}.conv{i}.conv' for i in (1, 2)})
            else:
                normalised[theirs] = ours
    return normalised, biased
