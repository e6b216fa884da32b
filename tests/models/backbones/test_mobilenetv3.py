import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

from ssd_plugin.errors import UserError


def backbone(**options):
    return MODELS.build(dict(type='ssd_plugin.MobileNetV3', **options))


def test_map_i_has_stride_2_to_the_i_plus_1():
    maps = backbone(out_indices=range(5), reduced_tail=True).eval()(torch.zeros(1, 3, 64, 96))
    assert [tuple(level.shape[1:]) for level in maps] == [
        (64, 32, 48),
        (72, 16, 24),
        (240, 8, 12),
        (672, 4, 6),
        (480, 2, 3),
    ]


def test_the_maps_asked_for_come_out():
    with torch.device('meta'):
        trunk = backbone(out_indices=(2, 4)).eval()
        maps = trunk(torch.zeros(1, 3, 32, 32))
    assert [level.shape[1] for level in maps] == [240, 960]


def test_as_many_parameters_as_published():
    """torchvision's documentation of its classifier, less the two layers of the classifier itself."""
    with torch.device('meta'):
        count = sum(parameter.numel() for parameter in backbone().parameters())
    assert count == 5_483_032 - (960 * 1280 + 1280) - (1280 * 1000 + 1000)


def test_initialisation_reaches_every_convolution():
    trunk = backbone(init_cfg=dict(type='Normal', layer='Conv2d', std=0.03))
    trunk.init_weights()
    stds = [layer.weight.std() for layer in trunk.modules() if isinstance(layer, nn.Conv2d)]
    assert len(stds) == 62
    assert all(0.025 < std < 0.035 for std in stds)


def test_batch_normalisation_is_the_papers_or_that_of_the_config():
    for options, momentum in (({}, 0.01), ({'norm_cfg': dict(type='BN', eps=0.001, momentum=0.03)}, 0.03)):
        with torch.device('meta'):
            norms = [layer for layer in backbone(**options).modules() if isinstance(layer, nn.BatchNorm2d)]
        assert {(norm.eps, norm.momentum) for norm in norms} == {(0.001, momentum)}


def test_a_map_that_is_not_there():
    with pytest.raises(UserError, match=r'^backbone.out_indices: \(4, 5\), expected some of 0 to 4$'):
        backbone(out_indices=(4, 5))
