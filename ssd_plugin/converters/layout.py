"""The names and shapes of our VGG SSD's weights, which are mmdet's too."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import torch

# Caffe's name of each convolution of the trunk -> its number in ``backbone.features``.
TRUNK: Mapping[str, int] = MappingProxyType(
    {
        'conv1_1': 0,
        'conv1_2': 2,
        'conv2_1': 5,
        'conv2_2': 7,
        'conv3_1': 10,
        'conv3_2': 12,
        'conv3_3': 14,
        'conv4_1': 17,
        'conv4_2': 19,
        'conv4_3': 21,
        'conv5_1': 24,
        'conv5_2': 26,
        'conv5_3': 28,
        'fc6': 31,
        'fc7': 33,
    }
)
FIRST_CONV = 'backbone.features.0.weight'
L2_NORM = 'neck.l2_norm.weight'


def trunk(name: str) -> str:
    """Name the module of a trunk convolution, given Caffe's name."""
    return f'backbone.features.{TRUNK[name]}'


def extra(pair: int, part: int) -> str:
    """Name the module of an extra layer: the 1x1 convolution (``part`` 0) or the larger one (1) of a pair."""
    return f'neck.extra_layers.{pair}.{part}.conv'


def head(branch: str, level: int) -> str:
    """Name the module of a predictor; ``branch`` is ``cls`` or ``reg``."""
    return f'bbox_head.{branch}_convs.{level}.0'


def parameters(modules: Mapping[str, str]) -> dict[str, str]:
    """Spell out the weight and the bias of every convolution: source key -> our key."""
    return {f'{source}.{kind}': f'{ours}.{kind}' for source, ours in modules.items() for kind in ('weight', 'bias')}


@lru_cache(maxsize=4)
def expected_shapes(input_size: int, num_classes: int) -> Mapping[str, tuple[int, ...]]:
    """Read the shape of every weight off the network itself.

    Args:
        input_size: 300 for SSD300, 512 for SSD512.
        num_classes: Foreground classes; the predictors have one more, the background.
    """
    # Imported here: ``import ssd_plugin`` itself does not load mmdet, which takes seconds.
    from mmdet.registry import MODELS

    config = dict(
        type='ssd_plugin.SSD',
        input_size=input_size,
        backbone=dict(type='ssd_plugin.SSDVGG'),
        neck=dict(type='ssd_plugin.SSDNeck'),
        bbox_head=dict(type='ssd_plugin.SSDHead', num_classes=num_classes),
    )
    with torch.device('meta'):  # the shapes alone: no memory, no random numbers
        network = MODELS.build(config)
    return MappingProxyType({key: tuple(value.shape) for key, value in network.state_dict().items()})
