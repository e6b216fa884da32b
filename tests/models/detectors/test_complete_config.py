import pytest

from ssd_plugin.errors import UserError
from ssd_plugin.models.detectors.complete_config import complete_head, complete_neck, fill_missing
from ssd_plugin.models.detectors.geometry import MapShape

MAPS = [MapShape(128, 38, 38), MapShape(256, 19, 19)]
STRIDES = [(8.0, 8.0), (16.0, 16.0)]


def test_open_places_are_filled_and_explicit_values_stay():
    found = fill_missing(dict(type='X', strides=[8], in_channels=None), dict(in_channels=[4, 8], strides=[16]), 'neck')
    assert found == dict(type='X', strides=[8], in_channels=[4, 8])
    assert fill_missing(dict(in_channels=(4, 8)), dict(in_channels=[4, 8]), 'neck') == dict(in_channels=(4, 8))


@pytest.mark.parametrize('given', [(4, 4), 4])
def test_contradiction_names_both(given):
    with pytest.raises(UserError, match=r'^neck.in_channels: .*4.*, expected \[4, 8\], what the network'):
        fill_missing(dict(in_channels=given), dict(in_channels=[4, 8]), 'neck')


def test_lists_where_mmdet_asserts_lists():
    found = complete_neck(dict(type='FPN', out_channels=64), MAPS)
    assert found == dict(type='FPN', out_channels=64, in_channels=[128, 256], num_outs=2)
    assert complete_neck(dict(type='FPN', out_channels=64, num_outs=5), MAPS)['num_outs'] == 5
    assert complete_neck(dict(type='CSPNeXtPAFPN', out_channels=64), MAPS)['in_channels'] == [128, 256]


def test_one_number_where_mmdet_wants_one():
    even = [MapShape(64, 38, 38), MapShape(64, 19, 19)]
    assert complete_neck(dict(type='BFP'), even) == dict(type='BFP', in_channels=64, num_levels=2)
    with pytest.raises(UserError, match=r"^neck\[1\]\.type: BFP takes maps of one width.*type='FPN'"):
        complete_neck(dict(type='BFP'), MAPS, 'neck[1]')
    with pytest.raises(UserError, match=r'^bbox_head.type: RetinaHead takes maps of one width'):
        complete_head(dict(type='RetinaHead', num_classes=3), MAPS, STRIDES, (300, 300))


@pytest.mark.parametrize('kind', ['ssd_plugin.SSDNeck', 'SSDNeck'])
def test_extra_layers_of_ours_and_of_mmdets_neck(kind):
    found = complete_neck(dict(type=kind, l2_norm_scale=None), MAPS)
    assert found['out_channels'] == [128, 256, 512, 256, 256, 256]
    assert (found['level_strides'], found['level_paddings']) == ([2, 2, 1, 1], [1, 1, 0, 0])
    kept = complete_neck(dict(type=kind, level_strides=[2], level_paddings=[1], out_channels=[8]), MAPS)
    assert (kept['level_strides'], kept['out_channels']) == ([2], [8])


def test_a_heads_default_generator_keeps_its_boxes_and_gets_the_steps():
    even = [MapShape(64, 38, 38), MapShape(64, 19, 19)]
    found = complete_head(dict(type='RetinaHead', num_classes=3), even, STRIDES, (300, 300))
    assert found['in_channels'] == 64
    assert found['anchor_generator'] == dict(
        type='AnchorGenerator', octave_base_scale=4, scales_per_octave=3, ratios=[0.5, 1.0, 2.0], strides=STRIDES
    )


def test_generators_get_what_they_take():
    ours = complete_head(dict(type='ssd_plugin.SSDHead'), MAPS, STRIDES, (400, 300))
    assert ours['in_channels'] == [128, 256]
    assert ours['anchor_generator'] == dict(
        type='ssd_plugin.SSDAnchorGenerator', strides=STRIDES, input_size=(400, 300)
    )
    mmdets = dict(type='SSDAnchorGenerator', ratios=[[2], [2]], basesize_ratio_range=(0.2, 0.9))
    found = complete_head(dict(type='ssd_plugin.SSDHead', anchor_generator=mmdets), MAPS, STRIDES, (300, 300))
    assert found['anchor_generator'] == dict(mmdets, strides=STRIDES, input_size=300)
    plain = dict(type='AnchorGenerator', scales=[8], ratios=[1.0])
    found = complete_head(dict(type='ssd_plugin.SSDHead', anchor_generator=plain), MAPS, STRIDES, (300, 300))
    assert found['anchor_generator'] == dict(plain, strides=STRIDES)


def test_unknown_types_are_left_to_the_build():
    assert complete_neck(dict(type='NoSuchNeck'), MAPS) == dict(type='NoSuchNeck')
