import pytest
import torch
from mmdet.models.necks import SSDNeck as MMDetSSDNeck
from mmengine.model import BaseModule

from ssd_plugin.models import SSDNeck
from ssd_plugin.models.detectors.geometry import off_grid_levels
from ssd_plugin.models.necks.ssd_neck import L2Norm

SSD300 = dict(
    in_channels=(512, 1024),
    out_channels=(512, 1024, 512, 256, 256, 256),
    level_strides=(2, 2, 1, 1),
    level_paddings=(1, 1, 0, 0),
)
SSD512 = dict(
    in_channels=(512, 1024),
    out_channels=(512, 1024, 512, 256, 256, 256, 256),
    level_strides=(2, 2, 2, 2, 1),
    level_paddings=(1, 1, 1, 1, 1),
    last_kernel_size=4,
)


def sides(neck, first):
    inputs = [torch.empty((1, c, side, side)) for c, side in zip((512, 1024), (first, (first + 1) // 2))]
    with torch.no_grad():
        outs = neck.to('meta')([level.to('meta') for level in inputs])
    assert tuple(level.shape[1] for level in outs) == neck.out_channels
    return [level.shape[-1] for level in outs]


def test_published_levels():
    assert sides(SSDNeck(**SSD300), 38) == [38, 19, 10, 5, 3, 1]
    assert sides(SSDNeck(**SSD512), 64) == [64, 32, 16, 8, 4, 2, 1]


@pytest.mark.parametrize('config', [SSD300, SSD512], ids=['300', '512'])
@pytest.mark.parametrize('use_depthwise', [False, True])
def test_state_dict_is_mmdets(config, use_depthwise):
    with torch.device('meta'):
        shapes = [
            {key: value.shape for key, value in kind(**config, use_depthwise=use_depthwise).state_dict().items()}
            for kind in (MMDetSSDNeck, SSDNeck)
        ]
    assert shapes[0] == shapes[1]


def test_levels_off_the_grid_of_powers_of_two():
    assert off_grid_levels(SSDNeck(**SSD300), 6) == [False, False, False, False, True, True]
    assert off_grid_levels(SSDNeck(**SSD512), 7) == [False] * 6 + [True]


def test_only_the_first_map_is_normalised_and_the_extras_go_on_from_the_last():
    neck = SSDNeck((2, 4), (4,), (2,), (1,))
    first, last = torch.tensor([3.0, 4]).reshape(1, 2, 1, 1).expand(1, 2, 8, 8), torch.randn((1, 4, 4, 4))
    found = neck([first, last])
    torch.testing.assert_close(found[0][0, :, 0, 0], torch.tensor([12.0, 16]))
    assert found[1] is last
    assert torch.equal(found[2], neck.extra_layers[0](last))
    assert found[2].shape == (1, 4, 2, 2)


def test_without_normalisation_or_extras():
    neck = SSDNeck((4,), (), (), (), l2_norm_scale=None)
    x = torch.randn((1, 4, 3, 3))
    assert neck(x)[0] is x
    assert neck.state_dict() == {}


def test_initialised_as_caffe_does():
    neck = SSDNeck(**SSD300)
    assert isinstance(neck, BaseModule)
    torch.manual_seed(0)
    neck.init_weights()
    conv = neck.extra_layers[0][1].conv
    bound = (3 / (256 * 9)) ** 0.5
    assert bound * 0.999 < conv.weight.abs().max() <= bound
    assert conv.bias.abs().max() == 0
    assert neck.l2_norm.weight.tolist() == [20] * 512


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(in_channels=None), 'in_channels: None'),
        (dict(level_paddings=(1, 1, 0)), 'expected as many as level_strides'),
        (dict(out_channels=(512, 512, 512, 256, 256, 256)), 'begin with in_channels'),
        (dict(out_channels=(512, 256, 256)), 'expected 4 numbers, or 6'),
    ],
)
def test_bad_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        SSDNeck(**{**SSD300, **change})


def test_l2_norm_by_hand():
    norm = L2Norm(2, scale=20)
    norm.weight.data[1] = 5
    x = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(norm(x).flatten(), torch.tensor([12.0, 4.0]))


def test_zero_vector_gives_zero_and_a_finite_gradient():
    norm = L2Norm(4)
    x = torch.zeros((1, 4, 2, 2), requires_grad=True)
    norm(x).sum().backward()
    assert x.grad.isfinite().all()
    # 1 / sqrt(1e-10) times the scale: the root holds the epsilon.
    torch.testing.assert_close(x.grad, torch.full_like(x, 20e5))
    assert norm.weight.grad.tolist() == [0] * 4


def test_half_precision_is_computed_in_full():
    # The squares of 300 exceed float16; the result keeps the dtype.
    x = torch.full((1, 2, 1, 1), 300.0, dtype=torch.float16)
    found = L2Norm(2).half()(x)
    assert found.dtype == torch.float16
    torch.testing.assert_close(found.flatten().float(), torch.full((2,), 20 / 2**0.5), rtol=1e-3, atol=0)
