import math

import pytest
import torch
from mmdet.models import backbones
from torch import nn

from ssd_plugin.models import SSDVGG


def build(kind=SSDVGG, **settings):
    """On the meta device: shapes without the 80 MB of weights."""
    with torch.device('meta'):
        return kind(**{'depth': 16, **settings})


def maps(backbone, height, width):
    out = backbone(torch.empty((1, 3, height, width), device='meta'))
    return [tuple(level.shape[1:]) for level in ([out] if isinstance(out, torch.Tensor) else out)]


@pytest.mark.parametrize('depth', [11, 13, 16, 19])
def test_state_dict_is_mmdets(depth):
    theirs = build(backbones.SSDVGG, depth=depth, with_last_pool=False, ceil_mode=True, out_feature_indices=(1, 2))
    ours = build(depth=depth, out_layers=('fc7',))
    shapes = [{key: value.shape for key, value in model.state_dict().items()} for model in (theirs, ours)]
    assert shapes[0] == shapes[1]
    assert [type(layer) for layer in ours.features] == [type(layer) for layer in theirs.features]


def test_layer_names_point_where_mmdets_numbers_do():
    names = build().layer_names
    assert (names['conv4_3'], names['fc7']) == (22, 34)
    assert (names['conv1_1'], names['pool1'], names['conv5_3'], names['pool5'], names['fc6']) == (1, 4, 29, 30, 32)
    assert 'conv4_4' not in names
    assert build(depth=19).layer_names['conv4_4'] == 26


def test_maps_of_every_name_are_that_layer():
    backbone = build(out_layers=('conv3_3', 'conv5_3', 'fc6'))
    assert maps(backbone, 300, 300) == [(256, 75, 75), (512, 19, 19), (1024, 19, 19)]


@pytest.mark.parametrize(('height', 'width'), [(300, 300), (512, 512), (301, 299), (333, 217), (64, 448), (17, 9)])
def test_map_sizes_round_up(height, width):
    expected = [
        (512, math.ceil(height / 8), math.ceil(width / 8)),
        (1024, math.ceil(height / 16), math.ceil(width / 16)),
    ]
    assert maps(build(), height, width) == expected


def test_without_atrous():
    backbone = build(atrous=False, out_layers=('conv4_3', 'conv5_3', 'fc7'))
    assert maps(backbone, 300, 300) == [(512, 38, 38), (512, 19, 19), (4096, 10, 10)]
    fc6 = backbone.features[backbone.layer_names['fc6'] - 1]
    assert (fc6.kernel_size, fc6.padding, fc6.dilation) == ((7, 7), (3, 3), (1, 1))


def test_atrous_fc6():
    backbone = build()
    fc6 = backbone.features[backbone.layer_names['fc6'] - 1]
    assert (fc6.kernel_size, fc6.padding, fc6.dilation, fc6.out_channels) == ((3, 3), (6, 6), (6, 6), 1024)


def test_with_batch_normalisation():
    backbone = build(with_bn=True)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in backbone.features) == 13
    assert maps(backbone, 300, 300) == [(512, 38, 38), (1024, 19, 19)]


def test_outputs_come_after_the_relu():
    backbone = SSDVGG(depth=11, out_layers=('conv1_1', 'conv2_1'))
    torch.manual_seed(0)
    found = backbone(torch.randn((1, 3, 16, 16)))
    assert [tuple(level.shape) for level in found] == [(1, 64, 16, 16), (1, 128, 8, 8)]
    assert all(level.min() == 0 for level in found)
    assert all(level.max() > 0 for level in found)


def test_one_output_is_a_tensor():
    assert isinstance(build(out_layers=('fc7',))(torch.empty((1, 3, 32, 32), device='meta')), torch.Tensor)


def test_unused_arguments_of_old_configs_warn():
    with pytest.warns(UserWarning, match='input_size=300 has no effect'):
        build(input_size=300)


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        (dict(depth=17), 'depth: 17'),
        (dict(out_layers=('conv4_4',)), r"\['conv4_4'\] not in VGG-16"),
        (dict(out_feature_indices=(22, 35)), r'\(22, 35\), expected less than 35'),
        (dict(pretrained='a.pth', init_cfg=dict(type='Kaiming')), 'expected one of the two'),
    ],
)
def test_bad_settings_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        build(**setting)
