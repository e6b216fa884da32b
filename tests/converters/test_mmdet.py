from typing import Any

import pytest
import torch
from plain_ssd import PlainSSD, assert_same_boxes, named
from torch import Tensor

from ssd_plugin.converters import mmdet
from ssd_plugin.errors import UserError

LAYERS = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 33]


def trunk(plain: PlainSSD) -> dict[str, Tensor]:
    return named(plain.trunk, [f'backbone.features.{number}' for number in LAYERS])


def old(plain: PlainSSD) -> dict[str, Tensor]:
    """Names before 2.14."""
    return {
        **trunk(plain),
        **named(plain.extras, [f'backbone.extra.{number}' for number in range(len(plain.extras))]),
        'backbone.l2_norm.weight': plain.scale,
        **named(plain.cls, [f'bbox_head.cls_convs.{level}' for level in range(len(plain.cls))]),
        **named(plain.reg, [f'bbox_head.reg_convs.{level}' for level in range(len(plain.reg))]),
    }


def new(plain: PlainSSD) -> dict[str, Tensor]:
    extras = [f'neck.extra_layers.{number // 2}.{number % 2}.conv' for number in range(len(plain.extras))]
    return {
        **trunk(plain),
        'neck.l2_norm.weight': plain.scale,
        **named(plain.extras, extras),
        **named(plain.cls, [f'bbox_head.cls_convs.{level}.0' for level in range(len(plain.cls))]),
        **named(plain.reg, [f'bbox_head.reg_convs.{level}.0' for level in range(len(plain.reg))]),
    }


def test_old_names_become_the_new_ones(plain512: PlainSSD, plain_outputs: Any, network: Any, image: Tensor) -> None:
    converted = mmdet.convert_old(old(plain512))
    assert converted.state_dict.keys() == new(plain512).keys()
    cls, reg = network(converted.state_dict, 512, image)
    assert_same_boxes(cls, plain_outputs[512][0])  # mmdet's classes need no rolling
    assert_same_boxes(reg, plain_outputs[512][1])


def test_current_weights_stay_as_they_are(plain300: PlainSSD) -> None:
    state = new(plain300)
    converted = mmdet.convert(state)
    assert converted.num_classes == 3
    assert all(converted.state_dict[key] is value for key, value in state.items())
    assert converted.data_preprocessor.settings() == {
        'mean': [123.675, 116.28, 103.53],
        'std': [1.0, 1.0, 1.0],
        'bgr_to_rgb': True,
    }


def test_depthwise_head() -> None:
    state = {
        'backbone.conv1.conv.weight': torch.zeros(16, 3, 3, 3),
        'bbox_head.cls_convs.0.0.conv.weight': torch.zeros(96, 1, 3, 3),
        'bbox_head.cls_convs.0.0.bn.bias': torch.zeros(96),
        'bbox_head.cls_convs.0.1.bias': torch.zeros(6 * 21),
        'bbox_head.reg_convs.0.1.bias': torch.zeros(6 * 4),
    }
    converted = mmdet.convert_depthwise(state)
    assert converted.num_classes == 20
    assert converted.data_preprocessor.std == (58.395, 57.12, 57.375)


def test_ours_keep_their_config(plain300: PlainSSD) -> None:
    converted = mmdet.convert_ours(new(plain300))
    assert converted.data_preprocessor is None
    assert converted.notes == ('the data_preprocessor is that of the config the weights were trained with',)


def test_foreign_key_is_refused(plain300: PlainSSD) -> None:
    with pytest.raises(UserError, match=r"mmdet weights: key 'rpn_head.x' of shape \(2,\) has no place in an SSD"):
        mmdet.convert({**new(plain300), 'rpn_head.x': torch.zeros(2)})


def test_predictors_must_agree(plain300: PlainSSD) -> None:
    state = new(plain300)
    state['bbox_head.cls_convs.2.0.bias'] = torch.zeros(6 * 5)
    with pytest.raises(UserError, match=r'predictors of \[3, 4\] classes'):
        mmdet.convert(state)
    state['bbox_head.cls_convs.2.0.bias'] = torch.zeros(25)
    with pytest.raises(UserError, match=r"'bbox_head.cls_convs.2.0.bias' has 25 channels, expected 6 boxes times"):
        mmdet.convert(state)
