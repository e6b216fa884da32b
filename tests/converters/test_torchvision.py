from typing import Any

import foreign_weights
import pytest
import torch
from plain_ssd import PlainSSD, assert_same_boxes, assert_same_classes, decode
from torch import Tensor

from ssd_plugin.converters import torchvision
from ssd_plugin.converters.default_boxes import published_sizes
from ssd_plugin.errors import UserError


def test_outputs_equal_the_source(plain300: PlainSSD, plain_outputs: Any, network: Any, image: Tensor) -> None:
    converted = torchvision.convert(foreign_weights.torchvision(plain300))
    cls, reg = network(converted.state_dict, 300, image)
    assert_same_classes(cls, plain_outputs[300][0])
    assert_same_boxes(reg[:4], plain_outputs[300][1][:4])
    assert converted.num_classes == 3
    assert converted.default_boxes == 'ssd300-coco'
    assert converted.data_preprocessor.settings() == {
        'mean': [123.0, 117.0, 104.0],
        'std': [1.0, 1.0, 1.0],
        'bgr_to_rgb': True,
    }


def test_clipped_boxes_decode_to_the_same(plain300: PlainSSD, plain_outputs: Any, network: Any, image: Tensor) -> None:
    """The last level's 2:1 box is 369.1 x 184.6; torchvision clips it to 300 x 184.6 and its twin to 184.6 x 300."""
    reg = network(torchvision.convert(foreign_weights.torchvision(plain300)).state_dict, 300, image)[1][5]
    long, short = 261 * 2**0.5, 261 / 2**0.5
    squares = [261.0, (261 * 315) ** 0.5]
    ours = decode(reg, torch.tensor([*squares, long, short]), torch.tensor([*squares, short, long]))
    clipped = decode(
        plain_outputs[300][1][5], torch.tensor([*squares, 300, short]), torch.tensor([*squares, short, 300])
    )
    torch.testing.assert_close(ours, clipped, rtol=1e-4, atol=1e-3)


def test_unused_coco_ids_are_left_out() -> None:
    """The first class predictor's channels count up, so a channel says where it came from."""
    assert len(torchvision._UNUSED_COCO_IDS) == 10
    weights = {'bbox_head.cls_convs.0.0.weight': torch.arange(2.0 * 91)[:, None, None, None]}
    weights['bbox_head.cls_convs.0.0.bias'] = torch.arange(2.0 * 91)
    used = [number for number in range(1, 91) if number not in torchvision._UNUSED_COCO_IDS]
    torchvision.assembly.select_classes(weights, 90, used)
    bias = weights['bbox_head.cls_convs.0.0.bias']
    assert bias.shape == (2 * 81,)
    # stop sign, the 12th of the 80, has id 13: id 12 (street sign) is unused. Toothbrush is 90. Background was 0.
    assert bias[[0, 10, 11, 79, 80]].tolist() == [1, 11, 13, 90, 0]
    assert bias[[81, 161]].tolist() == [91 + 1, 91]
    assert weights['bbox_head.cls_convs.0.0.weight'].flatten().tolist() == bias.tolist()


@pytest.mark.parametrize(('keep', 'classes'), [(False, 80), (True, 90)])
def test_released_weights_have_90_ids(plain300: PlainSSD, keep: bool, classes: int) -> None:
    state = foreign_weights.torchvision(plain300)
    for level, boxes in enumerate((4, 6, 6, 6, 4, 4)):
        key = f'head.classification_head.module_list.{level}'
        state[f'{key}.weight'] = torch.zeros(boxes * 91, *state[f'{key}.weight'].shape[1:])
        state[f'{key}.bias'] = torch.zeros(boxes * 91)
    converted = torchvision.convert(state, keep_unused_ids=keep)
    assert converted.num_classes == classes
    assert converted.state_dict['bbox_head.cls_convs.1.0.bias'].shape == (6 * (classes + 1),)
    assert bool(converted.notes) is not keep


def test_tiling_is_cocos() -> None:
    """Its scales are of 300 pixels."""
    scales = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05)
    sizes = published_sizes('ssd300-coco')
    assert [round(300 * scale) for scale in scales] == [*sizes.min, sizes.max[-1]]


def test_a_512_network_of_theirs_is_refused(plain300: PlainSSD) -> None:
    state = {**foreign_weights.torchvision(plain300), 'backbone.extra.5.0.weight': torch.zeros(128, 256, 1, 1)}
    with pytest.raises(UserError, match=r"torchvision weights: key 'backbone.extra.5.0.weight' of shape \(128, 256"):
        torchvision.convert(state)
