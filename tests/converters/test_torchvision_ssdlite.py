from pathlib import Path

import pytest
import torch
import torchvision_ssdlite
from mmengine.config import Config
from torch import Tensor

from ssd_plugin.converters.convert import convert, detect_source
from ssd_plugin.converters.partial import map_classes
from ssd_plugin.converters.torchvision_ssdlite import KIND, _expected_shapes, _names
from ssd_plugin.errors import UserError

CONFIG = Path(__file__).parents[2] / 'configs' / 'ssdlite' / 'ssdlite320_mobilenetv3-large_coco.py'
CLASSES = [f'class {number}' for number in range(80)]


@pytest.fixture(scope='module')
def source() -> dict[str, Tensor]:
    """The weights that tests/parity compares torchvision's outputs of; here the class biases count up."""
    weights = torchvision_ssdlite.kept_weights()
    for level in range(6):
        key = f'head.classification_head.module_list.{level}.1.bias'
        weights[key] = torch.arange(float(len(weights[key])))
    return weights


def test_conversion(source: dict[str, Tensor]) -> None:
    assert detect_source(source) == KIND
    converted = convert(source, KIND)
    assert converted.num_classes == 80
    assert converted.data_preprocessor is not None
    assert converted.data_preprocessor.settings() == {'mean': [127.5] * 3, 'std': [127.5] * 3, 'bgr_to_rgb': True}
    assert [note for note in converted.notes if 'configs/ssdlite/ssdlite320_mobilenetv3-large_coco.py' in note]
    # Of the first two default boxes: id 1, the 12th class (stop sign, id 13), toothbrush (id 90), the background.
    bias = converted.state_dict['bbox_head.cls_convs.0.1.bias']
    assert len(bias) == 6 * 81
    assert bias[[0, 11, 79, 80]].tolist() == [1, 13, 90, 0]
    assert bias[[81, 161]].tolist() == [91 + 1, 91]
    same = converted.state_dict['backbone.layers.0.conv.weight']
    assert same is source['backbone.features.0.0.0.weight']

    meta = converted.checkpoint(None)['meta']
    assert detect_source(converted.state_dict, meta) == 'ours'
    assert convert(converted.state_dict, 'ours').num_classes == 80

    mapped, mapping = map_classes(converted.state_dict, CLASSES, ['class 11', 'fresh'])
    assert mapping.mapped == (('class 11', 'class 11'),)
    assert mapping.fresh == ('fresh',)
    assert mapped['bbox_head.cls_convs.5.1.bias'][[0, 2]].tolist() == [13, 0]


def test_a_whole_tail(source: dict[str, Tensor]) -> None:
    """torchvision halves the tail only where training does not start from a classifier's weights."""
    model = Config.fromfile(CONFIG, import_custom_modules=False).model
    model.backbone.reduced_tail = False
    model.bbox_head.num_classes = 2
    shapes = _expected_shapes(model)
    whole = {theirs: torch.zeros(shapes[ours]) for theirs, ours in _names().items()}
    converted = convert(whole, KIND)
    assert converted.num_classes == 2
    assert [note for note in converted.notes if note.endswith('model = dict(backbone=dict(reduced_tail=False))')]
    key = 'backbone.features.1.1.block.0.0.weight'
    with pytest.raises(UserError, match=r"layers.14.expand_conv.conv.weight' has shape \(480, 80, 1, 1\), expected"):
        convert({**whole, key: source[key]}, KIND)


def test_another_network_is_refused(source: dict[str, Tensor]) -> None:
    with pytest.raises(UserError, match=r"key 'extra' of shape \(1,\) has no place in torchvision's ssdlite320"):
        convert({**source, 'extra': torch.zeros(1)}, KIND)
    missing = {key: value for key, value in source.items() if key != 'backbone.features.0.4.block.2.fc1.weight'}
    with pytest.raises(UserError, match=r"fc1.weight' \(our 'backbone.layers.4.se.conv1.conv.weight'\) is missing"):
        convert(missing, KIND)
