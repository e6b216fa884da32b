"""The names and shapes of our VGG SSD's weights, which are mmdet's too."""

from collections.abc import Mapping
from types import MappingProxyType

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

_TRUNK_CHANNELS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
# (middle, out, kernel) of each pair of extra layers; both networks share the first three pairs' channels.
_EXTRA_300 = ((256, 512, 3), (128, 256, 3), (128, 256, 3), (128, 256, 3))
_EXTRA_512 = (*_EXTRA_300, (128, 256, 4))
_EXTRAS = MappingProxyType({6: _EXTRA_300, 7: _EXTRA_512})
_BOXES = MappingProxyType({6: (4, 6, 6, 6, 4, 4), 7: (4, 6, 6, 6, 6, 4, 4)})


def trunk(name: str) -> str:
    """Module of a trunk convolution, by Caffe's name."""
    return f'backbone.features.{TRUNK[name]}'


def extra(pair: int, part: int) -> str:
    """Module of an extra layer: the 1x1 (``part`` 0) or the larger one (1) of a pair."""
    return f'neck.extra_layers.{pair}.{part}.conv'


def head(branch: str, level: int) -> str:
    """Module of a predictor; ``branch`` is ``cls`` or ``reg``."""
    return f'bbox_head.{branch}_convs.{level}.0'


def parameters(modules: Mapping[str, str]) -> dict[str, str]:
    """Spells out the weight and the bias of every convolution: source key -> our key."""
    return {f'{source}.{kind}': f'{ours}.{kind}' for source, ours in modules.items() for kind in ('weight', 'bias')}


def boxes_per_cell(levels: int) -> tuple[int, ...]:
    """Default boxes per cell of SSD300 (6 levels) and SSD512 (7)."""
    return _BOXES[levels]


def expected_shapes(levels: int, num_classes: int) -> dict[str, tuple[int, ...]]:
    """Shape of every weight.

    Args:
        levels: 0 for the trunk alone, 6 for SSD300, 7 for SSD512.
        num_classes: Foreground classes; the predictors have one more, the background.

    Source: the authors' python/caffe/model_libs.py and examples/ssd/ssd_pascal.py.
    """
    convolutions: dict[str, tuple[int, int, int]] = {}
    channels = 3
    for name, out in zip(TRUNK, _TRUNK_CHANNELS):
        convolutions[trunk(name)] = (out, channels, 1 if name == 'fc7' else 3)
        channels = out
    shapes: dict[str, tuple[int, ...]] = {}
    if levels:
        sources = [512, channels]
        for pair, (middle, out, kernel) in enumerate(_EXTRAS[levels]):
            convolutions[extra(pair, 0)] = (middle, channels, 1)
            convolutions[extra(pair, 1)] = (out, middle, kernel)
            channels = out
            sources.append(out)
        for level, (source, boxes) in enumerate(zip(sources, boxes_per_cell(levels))):
            convolutions[head('cls', level)] = (boxes * (num_classes + 1), source, 3)
            convolutions[head('reg', level)] = (boxes * 4, source, 3)
        shapes[L2_NORM] = (512,)
    for module, (out, into, kernel) in convolutions.items():
        shapes[f'{module}.weight'] = (out, into, kernel, kernel)
        shapes[f'{module}.bias'] = (out,)
    return shapes
