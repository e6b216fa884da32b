"""Weights of lufficc/SSD with a VGG backbone, 300 or 512.

Source: lufficc/SSD, ssd/modeling/backbone/vgg.py, ssd/modeling/box_head/box_predictor.py and configs/vgg_ssd*.yaml.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from torch import Tensor

from . import assembly, layout
from .default_boxes import PUBLISHED, Tiling
from .result import ConvertedWeights

KIND = 'lufficc'

# Its configs keep the fractions, and one number differs in the last place: 537.65.
_EDGES_512 = MappingProxyType(
    {
        'voc': (35.84, 76.8, 153.6, 230.4, 307.2, 384.0, 460.8, 537.65),
        'coco': (20.48, 51.2, 133.12, 215.04, 296.96, 378.88, 460.8, 542.72),
    }
)


def convert(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Converts the weights. The network reads RGB pixels minus (123, 117, 104) and clips its default boxes.

    Args:
        source: ``state_dict`` of the network, the ``model`` of its files.

    Raises:
        UserError: If the weights are not those of its VGG SSD.
    """
    predictor = 'box_head.predictor.{}_headers.{}'
    levels = assembly.count_levels(source, f'{predictor.format("cls", "{}")}.weight', KIND)
    modules = {f'backbone.vgg.{number}': layout.trunk(name) for name, number in layout.TRUNK.items()}
    for pair in range(levels - 2):
        for part in range(2):
            modules[f'backbone.extras.{2 * pair + part}'] = layout.extra(pair, part)
    for level in range(levels):
        for branch in ('cls', 'reg'):
            modules[predictor.format(branch, level)] = layout.head(branch, level)
    names = {'backbone.l2_norm.weight': layout.L2_NORM, **layout.parameters(modules)}
    weights = assembly.place(source, names, KIND)
    found = assembly.count_classes(weights, levels, KIND)
    assembly.check_shapes(weights, levels, found, KIND)
    data = 'coco' if found == 80 else 'voc'  # the VOC sizes are its defaults
    tiling = f'ssd{300 if levels == 6 else 512}-{data}'
    assembly.select_classes(weights, found)
    assembly.rebase_boxes(weights, _tiling(tiling, data), PUBLISHED[tiling])
    return assembly.ours(KIND, weights, found, tiling)


def _tiling(name: str, data: str) -> Tiling:
    published = PUBLISHED[name]
    if name.startswith('ssd512'):
        return replace(published, edges=_EDGES_512[data], clip=512)
    return replace(published, clip=300)
