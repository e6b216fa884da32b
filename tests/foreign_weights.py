"""The weights of a plain SSD under the names that other implementations give them."""

from plain_ssd import PlainSSD, named
from torch import Tensor

VGG_LAYERS = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 33]

CAFFE_TRUNK = [f'conv{block}_{layer}' for block in (1, 2) for layer in (1, 2)]
CAFFE_TRUNK += [f'conv{block}_{layer}' for block in (3, 4, 5) for layer in (1, 2, 3)]
CAFFE_TRUNK += ['fc6', 'fc7']
CAFFE_EXTRAS = [f'conv{number}_{part}' for number in range(6, 11) for part in (1, 2)]
CAFFE_SOURCES = ['conv4_3_norm', 'fc7', 'conv6_2', 'conv7_2', 'conv8_2', 'conv9_2', 'conv10_2']

TORCHVISION_FEATURES = VGG_LAYERS[:10]
TORCHVISION_EXTRA = ['0.1', '0.3', '0.5', '0.7.1', '0.7.3', '1.0', '1.2', '2.0', '2.2', '3.0', '3.2', '4.0', '4.2']


def amdegroot(plain: PlainSSD) -> dict[str, Tensor]:
    return {
        **named(plain.trunk, [f'vgg.{number}' for number in VGG_LAYERS]),
        'L2Norm.weight': plain.scale,
        **named(plain.extras, [f'extras.{number}' for number in range(8)]),
        **named(plain.reg, [f'loc.{level}' for level in range(6)]),
        **named(plain.cls, [f'conf.{level}' for level in range(6)]),
    }


def amdegroot_trunk(plain: PlainSSD) -> dict[str, Tensor]:
    return named(plain.trunk, [str(number) for number in VGG_LAYERS])


def caffe(plain: PlainSSD) -> dict[str, Tensor]:
    levels = len(plain.cls)
    return {
        **caffe_trunk(plain),
        'conv4_3_norm.weight': plain.scale,
        **named(plain.extras, CAFFE_EXTRAS[: len(plain.extras)]),
        **named(plain.reg, [f'{source}_mbox_loc' for source in CAFFE_SOURCES[:levels]]),
        **named(plain.cls, [f'{source}_mbox_conf' for source in CAFFE_SOURCES[:levels]]),
    }


def caffe_trunk(plain: PlainSSD) -> dict[str, Tensor]:
    return named(plain.trunk, CAFFE_TRUNK)


def lufficc(plain: PlainSSD) -> dict[str, Tensor]:
    head = 'box_head.predictor'
    return {
        **named(plain.trunk, [f'backbone.vgg.{number}' for number in VGG_LAYERS]),
        **named(plain.extras, [f'backbone.extras.{number}' for number in range(len(plain.extras))]),
        'backbone.l2_norm.weight': plain.scale,
        **named(plain.cls, [f'{head}.cls_headers.{level}' for level in range(len(plain.cls))]),
        **named(plain.reg, [f'{head}.reg_headers.{level}' for level in range(len(plain.reg))]),
    }


def mmdet(plain: PlainSSD) -> dict[str, Tensor]:
    extras = [f'neck.extra_layers.{number // 2}.{number % 2}.conv' for number in range(len(plain.extras))]
    return {
        **named(plain.trunk, [f'backbone.features.{number}' for number in VGG_LAYERS]),
        'neck.l2_norm.weight': plain.scale,
        **named(plain.extras, extras),
        **named(plain.cls, [f'bbox_head.cls_convs.{level}.0' for level in range(len(plain.cls))]),
        **named(plain.reg, [f'bbox_head.reg_convs.{level}.0' for level in range(len(plain.reg))]),
    }


def mmdet_before_2_14(plain: PlainSSD) -> dict[str, Tensor]:
    return {
        **named(plain.trunk, [f'backbone.features.{number}' for number in VGG_LAYERS]),
        **named(plain.extras, [f'backbone.extra.{number}' for number in range(len(plain.extras))]),
        'backbone.l2_norm.weight': plain.scale,
        **named(plain.cls, [f'bbox_head.cls_convs.{level}' for level in range(len(plain.cls))]),
        **named(plain.reg, [f'bbox_head.reg_convs.{level}' for level in range(len(plain.reg))]),
    }


def torchvision(plain: PlainSSD) -> dict[str, Tensor]:
    layers = [f'backbone.features.{number}' for number in TORCHVISION_FEATURES]
    layers += [f'backbone.extra.{number}' for number in TORCHVISION_EXTRA]
    return {
        'backbone.scale_weight': plain.scale,
        **named(plain.trunk + plain.extras, layers),
        **named(plain.cls, [f'head.classification_head.module_list.{level}' for level in range(6)]),
        **named(plain.reg, [f'head.regression_head.module_list.{level}' for level in range(6)]),
    }
