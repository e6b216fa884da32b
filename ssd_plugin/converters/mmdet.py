"""Weights of mmdet's SSD, whose names and conventions are ours, and of its versions before 2.14.

Source: mmdet, tools/model_converters/upgrade_ssd_version.py, configs/ssd/ssd300_coco.py and
configs/ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from ssd_plugin.errors import UserError

from . import assembly, layout
from .check_detector import check_detector
from .result import ConvertedWeights, DataPreprocessor

KIND = 'mmdet'
DEPTHWISE_KIND = 'mmdet-ssdlite'
OLD_KIND = 'mmdet-2.13'
OURS_KIND = 'ours'
# The first predictor's weight, plain and depthwise.
PREDICTOR_KEYS = ('bbox_head.cls_convs.0.0.weight', 'bbox_head.cls_convs.0.0.conv.weight')
_RGB_MEAN = (123.675, 116.28, 103.53)
_RGB_STD = (58.395, 57.12, 57.375)
_VGG = 'backbone.features.'
_OWN_CONFIG = 'the data_preprocessor is that of the config the weights were trained with'
_OLD_EXTRA = re.compile(r'backbone\.extra\.(\d+)\.(weight|bias)')
_OLD_PREDICTOR = re.compile(r'bbox_head\.(cls|reg)_convs\.(\d+)\.(weight|bias)')


def convert(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Take weights of mmdet's SSD as they are, its RGB preprocessing included.

    Args:
        source: ``state_dict`` of the detector.

    Raises:
        UserError: If a key belongs to none of backbone, neck and head, or the predictors do not fit each other.
    """
    return ConvertedWeights(KIND, *_checked(source, KIND), DataPreprocessor(_RGB_MEAN, bgr_to_rgb=True))


def convert_depthwise(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Take weights of mmdet's SSDLite as they are, its RGB preprocessing included.

    Args:
        source: ``state_dict`` of the detector.

    Raises:
        UserError: If a key belongs to none of backbone, neck and head, or the predictors do not fit each other.
    """
    preprocessor = DataPreprocessor(_RGB_MEAN, _RGB_STD, bgr_to_rgb=True)
    return ConvertedWeights(DEPTHWISE_KIND, *_checked(source, DEPTHWISE_KIND), preprocessor)


def convert_old(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Convert weights of mmdet 2.0 to 2.13, which kept the extra layers and the scale in the backbone.

    Args:
        source: ``state_dict`` of the detector.

    Raises:
        UserError: If a key has no place or the predictors do not fit each other.
    """
    renamed = {_new_name(key): value for key, value in source.items()}
    return ConvertedWeights(OLD_KIND, *_checked(renamed, OLD_KIND), DataPreprocessor(_RGB_MEAN, bgr_to_rgb=True))


def convert_ours(source: Mapping[str, Tensor]) -> ConvertedWeights:
    """Take weights of this package as they are; what they read is up to their config.

    Args:
        source: ``state_dict`` of the detector.

    Raises:
        UserError: If a key belongs to none of backbone, neck and head, or the predictors do not fit each other.
    """
    return ConvertedWeights(OURS_KIND, *_checked(source, OURS_KIND), None, notes=(_OWN_CONFIG,))


def _new_name(key: str) -> str:
    if key == 'backbone.l2_norm.weight':
        return layout.L2_NORM
    extra = _OLD_EXTRA.fullmatch(key)
    if extra:
        number = int(extra[1])
        return f'{layout.extra(number // 2, number % 2)}.{extra[2]}'
    predictor = _OLD_PREDICTOR.fullmatch(key)
    if predictor:
        return f'{layout.head(predictor[1], int(predictor[2]))}.{predictor[3]}'
    return key


def _checked(source: Mapping[str, Tensor], kind: str) -> tuple[dict[str, Tensor], int]:
    """Give the weights and their number of foreground classes."""
    for key, value in source.items():
        if not key.startswith(('backbone.', 'neck.', 'bbox_head.')):
            raise UserError(f'{kind} weights: key {key!r} of shape {tuple(value.shape)} has no place in an SSD')
    if kind in (KIND, OLD_KIND) and any(key.startswith(_VGG) for key in source):
        levels = assembly.count_levels(source, PREDICTOR_KEYS[0].replace('.0.0.', '.{}.0.'), kind)
        input_size = 300 if levels == 6 else 512
        assembly.place(source, {key: key for key in layout.expected_shapes(input_size, 1)}, kind)
        found = assembly.count_classes(source, kind)
        assembly.check_shapes(source, kind, input_size, found)
    else:
        check_detector(source, kind)
        found = assembly.count_classes(source, kind)
    return dict(source), found
