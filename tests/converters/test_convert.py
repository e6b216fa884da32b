from typing import Any

import foreign_weights
import pytest
import torch
from plain_ssd import PlainSSD

from ssd_plugin.converters import layout
from ssd_plugin.converters.convert import KINDS, convert, detect_source, read_state_dict
from ssd_plugin.errors import UserError


def sources(plain: PlainSSD) -> dict[str, dict[str, torch.Tensor]]:
    return {
        'torchvision': foreign_weights.torchvision(plain),
        'torchvision-ssdlite': {'backbone.features.0.0.0.weight': torch.zeros(16, 3, 3, 3)},
        'amdegroot': foreign_weights.amdegroot(plain),
        'amdegroot-trunk': foreign_weights.amdegroot_trunk(plain),
        'lufficc': foreign_weights.lufficc(plain),
        'mmdet': foreign_weights.mmdet(plain),
        'mmdet-2.13': foreign_weights.mmdet_before_2_14(plain),
        'mmdet-ssdlite': {'bbox_head.cls_convs.0.0.conv.weight': torch.zeros(96, 1, 3, 3)},
        'caffe': foreign_weights.caffe(plain),
        'caffe-trunk': foreign_weights.caffe_trunk(plain),
    }


def test_every_kind_is_recognised(plain300: PlainSSD) -> None:
    found = {kind: detect_source(state) for kind, state in sources(plain300).items()}
    assert found == {kind: kind for kind in found}
    assert set(KINDS) == {*found, 'ours'}


def test_our_training_is_told_by_its_config(plain300: PlainSSD) -> None:
    meta = {'cfg': "model = dict(type='ssd_plugin.SSD')"}
    state = foreign_weights.mmdet(plain300)
    assert detect_source(state, meta) == 'ours'
    assert detect_source(state, {'cfg': "model = dict(type='SingleStageDetector')"}) == 'mmdet'


@pytest.mark.parametrize(
    'kind', [kind for kind in KINDS if kind not in ('torchvision-ssdlite', 'mmdet-ssdlite', 'ours')]
)
def test_every_kind_converts_to_the_same_trunk(kind: str, plain300: PlainSSD) -> None:
    """But for the order of the colours: Caffe's network reads BGR."""
    converted = convert(sources(plain300)[kind], kind)
    expected = layout.expected_shapes(300, 3)
    trunk_alone = kind.endswith('trunk')
    assert set(converted.state_dict) == {key for key in expected if key.startswith('backbone') or not trunk_alone}
    assert torch.equal(converted.state_dict['backbone.features.31.weight'], plain300.trunk[13][0])
    first = plain300.trunk[0][0]
    turned = kind.startswith('caffe')
    assert torch.equal(converted.state_dict['backbone.features.0.weight'], first.flip(1) if turned else first)


def test_unknown_weights() -> None:
    with pytest.raises(UserError, match=r"weights with keys such as 'fc.weight' are of no known kind, expected one of"):
        detect_source({'fc.weight': torch.zeros(1)})


def test_unknown_kind() -> None:
    with pytest.raises(UserError, match="kind is 'darknet', expected one of torchvision"):
        convert({}, 'darknet')


def test_wrong_number_of_classes(plain300: PlainSSD) -> None:
    with pytest.raises(UserError, match='caffe weights: 3 foreground classes, expected 20'):
        convert(foreign_weights.caffe(plain300), 'caffe', 20)


@pytest.mark.parametrize(
    'wrap', [lambda w: w, lambda w: {'state_dict': w, 'meta': {'epoch': 3}}, lambda w: {'model': w}]
)
def test_state_dict_is_found(wrap: Any) -> None:
    weight = torch.zeros(1)
    state, meta = read_state_dict(wrap({'module.vgg.0.weight': weight}))
    assert state == {'vgg.0.weight': weight}
    assert meta in ({}, {'epoch': 3})


def test_no_state_dict() -> None:
    with pytest.raises(UserError, match="entry 'epoch' is a int, expected a tensor"):
        read_state_dict({'epoch': 3})
    with pytest.raises(UserError, match='holds no weights'):
        read_state_dict({})


def test_mmdet_1_is_refused() -> None:
    with pytest.raises(UserError, match=r'mmdet_version of the file is 1\.2\.0, expected 2.0 or later'):
        read_state_dict({'meta': {'mmdet_version': '1.2.0'}, 'state_dict': {'a': torch.zeros(1)}})
