from pathlib import Path
from typing import Any

import foreign_weights
import pytest
import torch
from plain_ssd import PlainSSD, assert_same_boxes, assert_same_classes
from torch import Tensor

from ssd_plugin.converters import caffe
from ssd_plugin.converters.caffemodel import net_parameter_class, read_caffemodel
from ssd_plugin.errors import UserError


@pytest.mark.parametrize('size', [300, 512])
def test_outputs_equal_the_source(
    size: int, plain300: PlainSSD, plain512: PlainSSD, plain_outputs: Any, network: Any, image: Tensor
) -> None:
    """Colours stay in their order, boxes are not clipped: only the background moves."""
    converted = caffe.convert(foreign_weights.caffe(plain300 if size == 300 else plain512))
    cls, reg = network(converted.state_dict, size, image.flip(1))
    assert_same_classes(cls, plain_outputs[size][0])
    assert_same_boxes(reg, plain_outputs[size][1])
    assert converted.num_classes == 3
    assert converted.default_boxes is None


def test_old_files_scale_has_four_dimensions(plain300: PlainSSD) -> None:
    state = foreign_weights.caffe(plain300)
    state['conv4_3_norm.weight'] = plain300.scale.reshape(1, 1, 1, 512)
    assert torch.equal(caffe.convert(state).state_dict['neck.l2_norm.weight'], plain300.scale)


def test_trunk_from_a_file(plain300: PlainSSD, tmp_path: Path) -> None:
    net = net_parameter_class()()
    for name, arrays in zip(
        [*foreign_weights.CAFFE_TRUNK, 'fc8'], [*plain300.trunk, (torch.zeros(10, 4), torch.zeros(10))]
    ):
        layer = net.layer.add(name=name)
        for array in arrays:
            blob = layer.blobs.add(data=array.contiguous().numpy().tobytes())
            blob.shape.dim.extend(array.shape)
    path = tmp_path / 'VGG.caffemodel'
    path.write_bytes(net.SerializeToString())
    converted = caffe.convert_trunk(read_caffemodel(path))
    assert len(converted.state_dict) == 30
    assert torch.equal(converted.state_dict['backbone.features.0.weight'], plain300.trunk[0][0].flip(1))
    assert torch.equal(converted.state_dict['backbone.features.33.weight'], plain300.trunk[14][0])


def test_missing_layer_is_named(plain300: PlainSSD) -> None:
    state = foreign_weights.caffe(plain300)
    del state['fc6.bias']
    with pytest.raises(
        UserError, match=r"caffe weights: key 'fc6.bias' \(our 'backbone.features.31.bias'\) is missing"
    ):
        caffe.convert(state)
