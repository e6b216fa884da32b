import pytest
import torch
from mmdet.registry import MODELS
from torch import Tensor

from ssd_plugin.converters.check_detector import check_detector
from ssd_plugin.errors import UserError


def make(depthwise: bool) -> dict[str, Tensor]:
    """The weights of a small detector of ours."""
    norm = dict(type='BN') if depthwise else None
    config = dict(
        type='ssd_plugin.SSD',
        input_size=64,
        backbone=dict(type='ResNet', depth=18, base_channels=16, out_indices=(2, 3)),
        neck=dict(type='ssd_plugin.SSDNeck', out_channels=(32, 16), level_strides=(2, 2), level_paddings=(1, 1)),
        bbox_head=dict(type='ssd_plugin.SSDHead', num_classes=2, use_depthwise=depthwise, norm_cfg=norm),
    )
    config['neck'].update(use_depthwise=depthwise, norm_cfg=norm)
    return MODELS.build(config).state_dict()


@pytest.mark.parametrize('depthwise', [False, True])
def test_sound_detectors_pass(depthwise: bool) -> None:
    check_detector(make(depthwise), 'x')


@pytest.mark.parametrize('depthwise', [False, True])
@pytest.mark.parametrize('lost', ['neck.extra_layers.0', 'bbox_head.cls_convs.1', 'bbox_head.reg_convs.3'])
def test_a_level_is_missing(lost: str, depthwise: bool) -> None:
    weights = {key: value for key, value in make(depthwise).items() if not key.startswith(f'{lost}.')}
    with pytest.raises(UserError, match=rf"x weights: '{lost}' is missing, expected \d levels"):
        check_detector(weights, 'x')


@pytest.mark.parametrize('branch', ['cls', 'reg'])
def test_a_predictor_lacks_its_bias(branch: str) -> None:
    weights = make(depthwise=True)
    bias = next(key for key in weights if key.startswith(f'bbox_head.{branch}_convs.2') and key.endswith('.1.bias'))
    del weights[bias]
    with pytest.raises(UserError, match=f"key '{bias}' is missing, which the other layers have"):
        check_detector(weights, 'x')


@pytest.mark.parametrize('key', ['neck.extra_layers.1.0.conv.weight', 'backbone.features.12.weight'])
def test_channels_do_not_fit(key: str) -> None:
    weights = {**make(depthwise=False), 'backbone.features.9.weight': torch.zeros(6, 3, 3, 3)}
    weights[key] = torch.zeros(8, 9, 1, 1)
    with pytest.raises(UserError, match=rf"'{key}' has shape \(8, 9, 1, 1\), expected \d+ input channels as"):
        check_detector(weights, 'x')
