"""Weights of the authors' Caffe: SSD300, SSD512 and the pre-trained trunk.

Source: weiliu89/caffe (branch ssd), python/caffe/model_libs.py and examples/ssd/ssd_pascal.py (layer names).
"""

from collections.abc import Mapping

from torch import Tensor

from . import assembly, layout
from .result import ConvertedWeights

KIND = 'caffe'
TRUNK_KIND = 'caffe-trunk'
_SCALE = 'conv4_3_norm.weight'
_CLASSIFIER = ('fc8.weight', 'fc8.bias')


def convert(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Convert an SSD300 or SSD512. It reads BGR pixels minus (104, 117, 123).

    Args:
        source: The arrays that ``caffemodel.read_caffemodel`` gives.

    Raises:
        UserError: If they are not those of an SSD.
    """
    # SSD512 has one more pair of extra layers, and a predictor on it.
    levels = 7 if 'conv10_2.weight' in source else 6
    sources = ['conv4_3_norm', 'fc7', *(f'conv{number}_2' for number in range(6, 4 + levels))]
    modules = {name: layout.trunk(name) for name in layout.TRUNK}
    for pair in range(levels - 2):
        for part in range(2):
            modules[f'conv{pair + 6}_{part + 1}'] = layout.extra(pair, part)
    for level, name in enumerate(sources):
        modules[f'{name}_mbox_conf'] = layout.head('cls', level)
        modules[f'{name}_mbox_loc'] = layout.head('reg', level)
    names = {_SCALE: layout.L2_NORM, **layout.parameters(modules)}
    weights = assembly.place(source, names, KIND)
    weights[layout.L2_NORM] = weights[layout.L2_NORM].flatten()  # old files store it as (1, 1, 1, 512)
    found = assembly.count_classes(weights, KIND)
    assembly.check_shapes(weights, KIND, 300 if levels == 6 else 512, found)
    assembly.bgr_to_rgb_conv1(weights)
    assembly.select_classes(weights, found)
    return ConvertedWeights(KIND, weights, found)


def convert_trunk(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Convert ``VGG_ILSVRC_16_layers_fc_reduced``; its classifier, if it is there, is left out.

    Args:
        source: The arrays that ``caffemodel.read_caffemodel`` gives.

    Raises:
        UserError: If they are not those of the trunk.
    """
    names = layout.parameters({name: layout.trunk(name) for name in layout.TRUNK})
    kept = {key: value for key, value in source.items() if key not in _CLASSIFIER}
    weights = assembly.place(kept, names, TRUNK_KIND)
    assembly.check_shapes(weights, TRUNK_KIND)
    assembly.bgr_to_rgb_conv1(weights)
    return ConvertedWeights(TRUNK_KIND, weights, None, notes=(assembly.TRUNK_NOTE,))
