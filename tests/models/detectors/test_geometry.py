import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules

from ssd_plugin.errors import UserError
from ssd_plugin.models import SSDAnchorGenerator
from ssd_plugin.models.detectors.geometry import (
    ExtraLayer,
    MapShape,
    box_strides,
    describe_levels,
    infer_feature_shapes,
    input_size_pair,
    off_grid_levels,
    plan_extra_layers,
)

HALVE, CUT, LAST = ExtraLayer(3, 2, 1), ExtraLayer(3, 1, 0), ExtraLayer(4, 1, 1)


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
def test_extra_layers(size, expected):
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
    assert infer_feature_shapes(backbone, MapShape(3, 300, 300)) == expected
    # The backbone itself stays where it was, and in training.
    assert backbone.training
    assert {parameter.device.type for parameter in backbone.parameters()} == {'cpu'}
    backbone.eval()
    with torch.no_grad():
        found = backbone(torch.zeros((1, 3, 300, 300)))
    assert [tuple(level.shape[1:]) for level in found] == expected


def test_a_chain_and_a_single_map():
    maps = infer_feature_shapes(torch.nn.Conv2d(3, 4, 3, stride=2, padding=1), MapShape(3, 32, 64))
    assert maps == [(4, 16, 32)]

    class Halve(torch.nn.Module):
        def forward(self, inputs):
            return [torch.nn.functional.max_pool2d(level, 2) for level in inputs]

    assert infer_feature_shapes(Halve(), [*maps, MapShape(2, 4, 4)]) == [(4, 8, 16), (2, 2, 2)]


class OfThisMachine(torch.nn.Conv2d):
    """Runs nowhere but on a real device, as compiled ops do."""

    def forward(self, x):
        if x.device.type == 'meta':
            raise NotImplementedError("no kernel for 'meta'")
        return super().forward(x)


def test_what_the_meta_device_cannot_run_is_run_on_zeros():
    layer = OfThisMachine(3, 4, 3, stride=2)
    assert infer_feature_shapes(layer, MapShape(3, 33, 65)) == [(4, 16, 32)]
    with pytest.raises(UserError, match=r'^model: OfThisMachine cannot take 9x1 \(RuntimeError: .*another input_size'):
        infer_feature_shapes(layer, MapShape(3, 1, 9))


def test_no_centre_lies_far_outside_the_image():
    maps = [MapShape(1, side, side) for side in (52, 26, 13, 7, 4, 2, 1)]
    found = [step for step, _ in box_strides(maps, (416, 416), [False] * 6 + [True])]
    # 7 cells of 64 would end at 416, 4 of 128 at 448.
    assert found == [8, 16, 32, 64, 104, 256, 416]


@pytest.mark.parametrize('side', range(64, 700, 13))
def test_centres_at_any_size(side):
    maps = [MapShape(1, cells, cells) for cells in (-(-side // 8), -(-side // 16), -(-side // 32), -(-side // 64))]
    for shape, (step, _) in zip(maps, box_strides(maps, (side, side), [False] * 4)):
        assert (shape.width - 0.5) * step <= side * 1.02


def test_layers_without_a_stride_leave_the_grid():
    layers = [
        torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.Conv2d(1, 1, 3, stride=stride)) for stride in (2, 1, 2)
    ]
    neck = torch.nn.Module()
    neck.extra_layers = torch.nn.ModuleList(layers)
    assert off_grid_levels(neck, 5) == [False, False, False, True, True]
    assert off_grid_levels(torch.nn.Identity(), 2) == [False, False]


def test_input_size():
    assert input_size_pair(300) == (300, 300)
    assert input_size_pair([448, 256]) == (448, 256)
    for size in (0, -1, (300,), (300, 300, 3), (300.0, 300), (300, 0)):
        with pytest.raises(ValueError, match='whole pixels'):
            input_size_pair(size)


def test_table():
    generator = SSDAnchorGenerator(strides=[8], ratios=[[2]], min_sizes=[30], max_sizes=[60])
    assert describe_levels(generator, [MapShape(512, 38, 38)]) == [('0', '38x38', '512', '8x8', '30..42', 5776)]
