"""Weights of lufficc/SSD with a VGG backbone, 300 or 512.

Source: lufficc/SSD, ssd/modeling/backbone/vgg.py, ssd/modeling/box_head/box_predictor.py,
ssd/modeling/anchors/prior_box.py and configs/vgg_ssd*.yaml.
"""

from collections.abc import Mapping

from torch import Tensor

from . import assembly, layout
from .default_boxes import published_sizes
from .result import ConvertedWeights

KIND = 'lufficc'


def convert(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Convert the weights of an SSD of lufficc/SSD.

    The network reads RGB pixels minus (123, 117, 104) and clips centres and sizes of its default boxes.

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
    found = assembly.count_classes(weights, KIND)
    input_size = 300 if levels == 6 else 512
    assembly.check_shapes(weights, KIND, input_size, found)
    tiling = f'ssd{input_size}-{"coco" if found == 80 else "voc"}'  # the VOC sizes are its defaults
    sizes = published_sizes(tiling)  # its configs keep the fractions, and one number differs in the last place
    if tiling == 'ssd512-voc':
        sizes = sizes._replace(max=[*sizes.max[:-1], 537.65])
    assembly.select_classes(weights, found)
    assembly.rebase_boxes(weights, tiling, sizes)
    # The centres of SSD512's default boxes all lie inside the input.
    return ConvertedWeights(KIND, weights, found, default_boxes=tiling, clip_centers=input_size == 300)
