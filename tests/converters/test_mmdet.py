from typing import Any

import foreign_weights
import pytest
import torch
from plain_ssd import PlainSSD, assert_same_boxes
from torch import Tensor

from ssd_plugin.converters import mmdet
from ssd_plugin.errors import UserError


def test_old_names_become_the_new_ones(plain512: PlainSSD, plain_outputs: Any, network: Any, image: Tensor) -> None:
    converted = mmdet.convert_old(foreign_weights.mmdet_before_2_14(plain512))
    assert converted.state_dict.keys() == foreign_weights.mmdet(plain512).keys()
    cls, reg = network(converted.state_dict, 512, image)
    assert_same_boxes(cls, plain_outputs[512][0])  # mmdet's classes need no rolling
    assert_same_boxes(reg, plain_outputs[512][1])


def test_current_weights_stay_as_they_are(plain300: PlainSSD) -> None:
    state = foreign_weights.mmdet(plain300)
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
    converted = mmdet.convert_ours(foreign_weights.mmdet(plain300))
    assert converted.data_preprocessor is None
    assert converted.notes == ('the data_preprocessor is that of the config the weights were trained with',)


def test_foreign_key_is_refused(plain300: PlainSSD) -> None:
    with pytest.raises(UserError, match=r"mmdet weights: key 'rpn_head.x' of shape \(2,\) has no place in an SSD"):
        mmdet.convert({**foreign_weights.mmdet(plain300), 'rpn_head.x': torch.zeros(2)})


def test_predictors_must_agree(plain300: PlainSSD) -> None:
    state = foreign_weights.mmdet(plain300)
    state['bbox_head.cls_convs.2.0.bias'] = torch.zeros(6 * 5)
    with pytest.raises(UserError, match=r'predictors of \[3, 4\] classes'):
        mmdet.convert(state)
    state['bbox_head.cls_convs.2.0.bias'] = torch.zeros(25)
    with pytest.raises(UserError, match=r"'bbox_head.cls_convs.2.0.bias' has 25 channels, expected 6 boxes times"):
        mmdet.convert(state)
