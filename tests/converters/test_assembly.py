import pytest
import torch

from ssd_plugin.converters import assembly, layout
from ssd_plugin.errors import UserError


def test_place_renames() -> None:
    value = torch.zeros(2)
    assert assembly.place({'a': value}, {'a': 'b'}, 'x') == {'b': value}


def test_unknown_key() -> None:
    with pytest.raises(UserError, match=r"x weights: key 'c' of shape \(2, 3\) has no place"):
        assembly.place({'a': torch.zeros(1), 'c': torch.zeros(2, 3)}, {'a': 'b'}, 'x')


def test_missing_key() -> None:
    with pytest.raises(UserError, match=r"x weights: key 'c' \(our 'd'\) is missing"):
        assembly.place({'a': torch.zeros(1)}, {'a': 'b', 'c': 'd'}, 'x')


def test_background_moves_from_first_to_last() -> None:
    """Two boxes of background and three classes."""
    weights = {
        'bbox_head.cls_convs.0.0.weight': torch.arange(8.0).reshape(8, 1, 1, 1),
        'bbox_head.cls_convs.0.0.bias': torch.arange(8.0),
        'bbox_head.cls_convs.1.0.weight': torch.arange(4.0).reshape(4, 1, 1, 1),
        'bbox_head.cls_convs.1.0.bias': torch.arange(4.0),
    }
    assembly.select_classes(weights, 3)
    assert weights['bbox_head.cls_convs.0.0.bias'].tolist() == [1, 2, 3, 0, 5, 6, 7, 4]
    assert weights['bbox_head.cls_convs.0.0.weight'].flatten().tolist() == [1, 2, 3, 0, 5, 6, 7, 4]
    assert weights['bbox_head.cls_convs.1.0.bias'].tolist() == [1, 2, 3, 0]


def test_colours_turn() -> None:
    first = torch.arange(6.0).reshape(2, 3, 1, 1)
    weights = {layout.FIRST_CONV: first}
    assembly.bgr_to_rgb_conv1(weights)
    assert weights[layout.FIRST_CONV].flatten().tolist() == [2, 1, 0, 5, 4, 3]
    assert first.flatten().tolist() == [0, 1, 2, 3, 4, 5]


def predictors(channels: int) -> dict[str, torch.Tensor]:
    return {
        'bbox_head.cls_convs.0.0.bias': torch.zeros(channels),
        'bbox_head.reg_convs.0.0.bias': torch.zeros(4 * 4),
    }


@pytest.mark.parametrize('channels', [13, 4])
def test_class_channels_must_divide_among_boxes(channels: int) -> None:
    with pytest.raises(UserError, match=f'has {channels} channels, expected 4 boxes times'):
        assembly.count_classes(predictors(channels), 'x')


def test_count_classes() -> None:
    assert assembly.count_classes(predictors(84), 'x') == 20


@pytest.mark.parametrize(('input_size', 'num_classes'), [(300, 20), (512, 2)])
def test_shapes_are_compared(input_size: int, num_classes: int) -> None:
    shapes = layout.expected_shapes(input_size, num_classes)
    weights = {key: torch.empty(shape, device='meta') for key, shape in shapes.items()}
    assembly.check_shapes(weights, 'x', input_size, num_classes)
    weights['bbox_head.cls_convs.1.0.bias'] = torch.zeros(7)
    with pytest.raises(
        UserError, match=rf"cls_convs.1.0.bias' has shape \(7,\), expected \({6 * (num_classes + 1)},\)"
    ):
        assembly.check_shapes(weights, 'x', input_size, num_classes)
