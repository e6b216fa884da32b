from typing import Any

import foreign_weights
import pytest
import torch
from plain_ssd import PlainSSD, assert_same_boxes, assert_same_classes, decode
from torch import Tensor

from ssd_plugin.converters import lufficc
from ssd_plugin.errors import UserError


def test_300_outputs_equal_the_source(plain300: PlainSSD, plain_outputs: Any, network: Any, image: Tensor) -> None:
    converted = lufficc.convert(foreign_weights.lufficc(plain300))
    cls, reg = network(converted.state_dict, 300, image)
    assert_same_classes(cls, plain_outputs[300][0])
    assert_same_boxes(reg[:4], plain_outputs[300][1][:4])
    assert converted.default_boxes == 'ssd300-voc'


def test_512_boxes_decode_to_the_same(plain512: PlainSSD, plain_outputs: Any, network: Any, image: Tensor) -> None:
    """Its sizes keep their fractions and are clipped: level 0 has 35.84 where ours has 35."""
    converted = lufficc.convert(foreign_weights.lufficc(plain512))
    cls, reg = network(converted.state_dict, 512, image)
    assert_same_classes(cls, plain_outputs[512][0])
    assert converted.default_boxes == 'ssd512-voc'
    root = 2**0.5
    for level, (mine, mine_next), (own, own_next), clip in (
        (0, (35, 76), (35.84, 76.8), 512.0),
        (6, (460, 537), (460.8, 537.65), 512.0),
    ):
        sizes = []
        for small, large in ((mine, mine_next), (own, own_next)):
            square = (small * large) ** 0.5
            wide = torch.tensor([small, square, small * root, small / root])
            sizes.append((wide, wide[[0, 1, 3, 2]]))
        ours = decode(reg[level], *sizes[0])
        expected = decode(plain_outputs[512][1][level], *(side.clamp(max=clip) for side in sizes[1]))
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-3)


def test_another_number_of_levels_is_refused(plain300: PlainSSD) -> None:
    state = foreign_weights.lufficc(plain300)
    del state['box_head.predictor.cls_headers.5.weight']
    with pytest.raises(UserError, match=r'lufficc weights: 5 predictors .* expected 6 \(SSD300\) or 7 \(SSD512\)'):
        lufficc.convert(state)
