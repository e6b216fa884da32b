import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules

from ssd_plugin.models.detectors.geometry import (
    ExtraLevel,
    MapShape,
    box_strides,
    fill_missing,
    infer_feature_shapes,
    input_size_pair,
    plan_extra_layers,
)

HALVE, CUT, LAST = ExtraLevel(3, 2, 1), ExtraLevel(3, 1, 0), ExtraLevel(4, 1, 1)


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        ((19, 19), [HALVE, HALVE, CUT, CUT]),  # 19, 10, 5, 3, 1: SSD300
        ((32, 32), [HALVE, HALVE, HALVE, HALVE, LAST]),  # 32, 16, 8, 4, 2, 1: SSD512
        ((10, 10), [HALVE, CUT, CUT]),
        ((7, 7), [HALVE, HALVE, LAST]),
        ((16, 28), [HALVE, HALVE, HALVE, LAST]),  # 16x28, 8x14, 4x7, 2x4, 1x3
        ((3, 40), [CUT]),
        ((2, 2), [LAST]),
        ((1, 7), []),
    ],
)
def test_extra_levels(size, expected):
    assert plan_extra_layers(*size) == expected


def test_published_strides():
    maps = [MapShape(1, side, side) for side in (38, 19, 10, 5, 3, 1)]
    found = box_strides(maps, (300, 300), [False] * 4 + [True] * 2)
    assert found == [(8, 8), (16, 16), (32, 32), (64, 64), (100, 100), (300, 300)]


def test_strides_of_each_axis():
    found = box_strides([MapShape(1, 16, 28), MapShape(1, 1, 3)], (448, 256), [False, True])
    assert found == [(16, 16), (pytest.approx(448 / 3), 256)]


BACKBONES = {
    'resnet': (dict(type='ResNet', depth=18, out_indices=(1, 2)), [(128, 38, 38), (256, 19, 19)]),
    'mobilenet': (dict(type='MobileNetV2', out_indices=(4, 7)), [(96, 19, 19), (1280, 10, 10)]),
    'swin': (
        dict(type='SwinTransformer', embed_dims=24, depths=(1, 1, 1, 1), num_heads=(1, 2, 3, 6), out_indices=(1, 2)),
        [(48, 38, 38), (96, 19, 19)],
    ),
    'efficientnet': (dict(type='EfficientNet', arch='b0', out_indices=(3, 4)), [(40, 38, 38), (112, 19, 19)]),
}


@pytest.mark.parametrize('name', BACKBONES)
def test_measured_as_computed(name):
    register_all_modules()
    config, expected = BACKBONES[name]
    backbone = MODELS.build(config)
    assert infer_feature_shapes([backbone], (300, 300)) == expected
    # The backbone itself stays where it was, and in training.
    assert backbone.training
    assert {parameter.device.type for parameter in backbone.parameters()} == {'cpu'}
    backbone.eval()
    with torch.no_grad():
        found = backbone(torch.zeros((1, 3, 300, 300)))
    assert [tuple(level.shape[1:]) for level in found] == expected


def test_a_chain_and_a_single_map():
    chain = [torch.nn.Conv2d(3, 4, 3, stride=2, padding=1), torch.nn.MaxPool2d(2)]
    assert infer_feature_shapes(chain, (64, 32)) == [(4, 8, 16)]


def test_input_size():
    assert input_size_pair(300) == (300, 300)
    assert input_size_pair([448, 256]) == (448, 256)
    for size in (0, -1, (300,), (300, 300, 3), (300.0, 300), (300, 0)):
        with pytest.raises(ValueError, match='whole pixels'):
            input_size_pair(size)


def test_open_places_are_filled_and_explicit_values_stay():
    found = fill_missing(dict(type='X', strides=[8], in_channels=None), dict(in_channels=(4, 8), strides=[16]), 'neck')
    assert found == dict(type='X', strides=[8], in_channels=(4, 8))
    assert fill_missing(dict(in_channels=[4, 8]), dict(in_channels=(4, 8)), 'neck') == dict(in_channels=[4, 8])


def test_contradiction_names_both():
    with pytest.raises(ValueError, match=r'neck.in_channels=\(4, 4\), .* gives \(4, 8\)'):
        fill_missing(dict(in_channels=(4, 4)), dict(in_channels=(4, 8)), 'neck')
