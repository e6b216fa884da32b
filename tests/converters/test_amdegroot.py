from typing import Any

import foreign_weights
import pytest
import torch
from plain_ssd import PlainSSD, assert_same_boxes, assert_same_classes
from torch import Tensor

from ssd_plugin.converters import amdegroot
from ssd_plugin.errors import UserError


def test_outputs_equal_the_source(plain300: PlainSSD, plain_outputs: Any, network: Any, image: Tensor) -> None:
    converted = amdegroot.convert(foreign_weights.amdegroot(plain300))
    cls, reg = network(converted.state_dict, 300, image)
    assert_same_classes(cls, plain_outputs[300][0])
    assert_same_boxes(reg[:4], plain_outputs[300][1][:4])
    assert converted.num_classes == 3
    assert converted.default_boxes == 'ssd300-coco'


def test_voc_boxes_are_unclipped(plain300: PlainSSD) -> None:
    """With 20 classes it uses the VOC sizes: the wide box of level 4 is 301.2275 pixels, clipped to 300."""
    state = foreign_weights.amdegroot(plain300)
    for level, boxes in enumerate((4, 6, 6, 6, 4, 4)):
        state[f'conf.{level}.weight'] = torch.zeros(boxes * 21, *state[f'conf.{level}.weight'].shape[1:])
        state[f'conf.{level}.bias'] = torch.zeros(boxes * 21)
    converted = amdegroot.convert(state)
    assert converted.default_boxes == 'ssd300-voc'
    before, after = state['loc.4.bias'].tolist(), converted.state_dict['bbox_head.reg_convs.4.0.bias'].tolist()
    changed = [row for row in range(16) if before[row] != after[row]]
    assert changed == [8, 10, 13, 15]  # x and width of the wide box, y and height of the tall one
    assert after[8] == pytest.approx(before[8] * 300 / 301.2275, rel=1e-5)
    assert after[10] == pytest.approx(before[10] - 0.0204165, abs=1e-4)  # ln(300 / 301.2275) / 0.2
    assert torch.equal(state['loc.3.weight'], converted.state_dict['bbox_head.reg_convs.3.0.weight'])


def test_trunk(plain300: PlainSSD) -> None:
    converted = amdegroot.convert_trunk(foreign_weights.amdegroot_trunk(plain300))
    assert sorted(converted.state_dict) == sorted(
        f'backbone.features.{number}.{kind}' for number in foreign_weights.VGG_LAYERS for kind in ('weight', 'bias')
    )
    assert torch.equal(converted.state_dict['backbone.features.0.weight'], plain300.trunk[0][0])
    assert torch.equal(converted.state_dict['backbone.features.33.bias'], plain300.trunk[14][1])
    assert converted.num_classes is None
    assert "prefix='backbone.'" in converted.notes[0]


def test_trunk_of_another_network_is_refused(plain300: PlainSSD) -> None:
    state = foreign_weights.amdegroot_trunk(plain300)
    state['31.weight'] = torch.zeros(4096, 512, 7, 7)
    line = r"'backbone.features.31.weight' has shape \(4096, 512, 7, 7\), expected \(1024, 512, 3, 3\)"
    with pytest.raises(UserError, match=line):
        amdegroot.convert_trunk(state)
