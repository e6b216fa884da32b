"""Weights of amdegroot/ssd.pytorch: its SSD300 and its VGG trunk.

Source: amdegroot/ssd.pytorch, ssd.py, data/config.py and layers/functions/prior_box.py.
"""

from collections.abc import Mapping

from torch import Tensor

from . import assembly, layout
from .result import ConvertedWeights

KIND = 'amdegroot'
TRUNK_KIND = 'amdegroot-trunk'


def convert(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Convert an SSD300. It reads RGB pixels minus (123, 117, 104) and clips centres and sizes of its default boxes.

    Args:
        source: ``state_dict`` of the network.

    Raises:
        UserError: If the weights are not those of its SSD300.
    """
    modules = {f'vgg.{number}': layout.trunk(name) for name, number in layout.TRUNK.items()}
    modules.update({f'extras.{2 * pair + part}': layout.extra(pair, part) for pair in range(4) for part in range(2)})
    for level in range(6):
        modules[f'conf.{level}'], modules[f'loc.{level}'] = layout.head('cls', level), layout.head('reg', level)
    names = {'L2Norm.weight': layout.L2_NORM, **layout.parameters(modules)}
    weights = assembly.place(source, names, KIND)
    found = assembly.count_classes(weights, KIND)
    assembly.check_shapes(weights, KIND, 300, found)
    tiling = 'ssd300-voc' if found == 20 else 'ssd300-coco'  # as its SSD class chooses
    assembly.select_classes(weights, found)
    assembly.rebase_boxes(weights, tiling)
    return ConvertedWeights(KIND, weights, found, default_boxes=tiling, clip_centers=True)


def convert_trunk(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Convert ``vgg16_reducedfc.pth``, the pre-trained trunk. It reads RGB pixels minus (123, 117, 104).

    Args:
        source: ``state_dict`` of the list of layers.

    Raises:
        UserError: If the weights are not those of the trunk.
    """
    modules = {str(number): layout.trunk(name) for name, number in layout.TRUNK.items()}
    weights = assembly.place(source, layout.parameters(modules), TRUNK_KIND)
    assembly.check_shapes(weights, TRUNK_KIND)
    return ConvertedWeights(TRUNK_KIND, weights, None, notes=(assembly.TRUNK_NOTE,))
