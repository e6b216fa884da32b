import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ssd_plugin.converters.partial import map_classes
from ssd_plugin.errors import UserError


def detector(classes: int, boxes: int = 2) -> dict[str, Tensor]:
    """One level whose class channels count up."""
    channels = boxes * (classes + 1)
    return {
        'backbone.conv.weight': torch.ones(3),
        'bbox_head.cls_convs.0.0.weight': torch.arange(float(channels)).reshape(-1, 1, 1, 1),
        'bbox_head.cls_convs.0.0.bias': torch.arange(float(channels)),
        'bbox_head.reg_convs.0.0.weight': torch.ones(boxes * 4, 1, 1, 1),
        'bbox_head.reg_convs.0.0.bias': torch.ones(boxes * 4),
    }


def test_channels_follow_their_names() -> None:
    """cat, dog, horse, background = 0 1 2 3 and 4 5 6 7; the hamster starts at the mean of the three animals."""
    state, mapping = map_classes(detector(3), ('cat', 'dog', 'horse'), ('horse', 'hamster', 'cat'))
    weight = state['bbox_head.cls_convs.0.0.weight'].flatten().tolist()
    assert weight == [2, 1, 0, 3, 6, 5, 4, 7]
    bias = state['bbox_head.cls_convs.0.0.bias'].tolist()
    assert bias == pytest.approx([2, 1 - math.log(4), 0, 3, 6, 5 - math.log(4), 4, 7])
    assert mapping.mapped == (('horse', 'horse'), ('cat', 'cat'))
    assert mapping.fresh == ('hamster',)
    assert mapping.dropped == ('dog',)
    assert mapping.kept == 3
    assert mapping.remade == ('bbox_head.cls_convs.0.0.weight', 'bbox_head.cls_convs.0.0.bias')


def test_other_weights_are_the_same_tensors() -> None:
    source = detector(2)
    state, _ = map_classes(source, ('a', 'b'), ('b',))
    assert all(state[key] is source[key] for key in source if 'cls_convs' not in key)


@pytest.mark.parametrize(
    ('coco', 'voc'),
    [
        ('airplane', 'aeroplane'),
        ('motorcycle', 'motorbike'),
        ('potted plant', 'pottedplant'),
        ('couch', 'sofa'),
        ('tv', 'tvmonitor'),
        ('dining table', 'diningtable'),
    ],
)
def test_coco_and_voc_name_the_same_thing(coco: str, voc: str) -> None:
    state, mapping = map_classes(detector(2), ('zebra', coco), (voc,))
    assert state['bbox_head.cls_convs.0.0.bias'].tolist() == [1, 2, 4, 5]
    assert mapping.mapped == ((voc, coco),)
    back, _ = map_classes(detector(2), ('zebra', voc), (coco,))
    assert torch.equal(back['bbox_head.cls_convs.0.0.bias'], state['bbox_head.cls_convs.0.0.bias'])


def test_all_of_voc_is_in_coco() -> None:
    from mmdet.datasets import CocoDataset, VOCDataset

    coco, voc = CocoDataset.METAINFO['classes'], VOCDataset.METAINFO['classes']
    _, mapping = map_classes(detector(80), coco, voc)
    assert len(mapping.mapped) == 20
    assert mapping.fresh == ()
    assert len(mapping.dropped) == 60


@settings(max_examples=settings.default.max_examples // 2)
@given(order=st.permutations(range(5)))
def test_a_permutation_and_back_changes_nothing(order: list[int]) -> None:
    names = ('a', 'b', 'c', 'd', 'e')
    other = tuple(names[number] for number in order)
    source = detector(5, boxes=3)
    there, _ = map_classes(source, names, other)
    back, _ = map_classes(there, other, names)
    assert all(torch.equal(back[key], source[key]) for key in source)


def test_depthwise_head_maps_its_last_layer_only() -> None:
    source = {
        'bbox_head.cls_convs.0.0.conv.weight': torch.ones(6, 1, 3, 3),
        'bbox_head.cls_convs.0.1.weight': torch.arange(6.0).reshape(6, 1, 1, 1),
        'bbox_head.cls_convs.0.1.bias': torch.arange(6.0),
        'bbox_head.reg_convs.0.1.weight': torch.ones(8, 1, 1, 1),
        'bbox_head.reg_convs.0.1.bias': torch.ones(8),
    }
    state, mapping = map_classes(source, ('a', 'b'), ('b', 'a'))
    assert mapping.remade == ('bbox_head.cls_convs.0.1.weight', 'bbox_head.cls_convs.0.1.bias')
    assert state['bbox_head.cls_convs.0.1.bias'].tolist() == [1, 0, 2, 4, 3, 5]


def test_report_reads_well() -> None:
    _, mapping = map_classes(detector(2), ('tv', 'dog'), ('tvmonitor', 'hamster'))
    assert str(mapping) == (
        '3 weights kept; in 2 class predictors 1 classes mapped (tv as tvmonitor), 1 fresh (hamster), 1 dropped (dog)'
    )


def test_wrong_number_of_source_classes() -> None:
    line = "'bbox_head.cls_convs.0.0.weight' has 8 channels, expected 2 boxes times \\(2 source classes"
    with pytest.raises(UserError, match=line):
        map_classes(detector(3), ('a', 'b'), ('a',))


@pytest.mark.parametrize('names', [('a', 'a'), ('tv', 'tvmonitor'), ()])
def test_names_must_differ(names: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match='expected different names'):
        map_classes(detector(2), ('a', 'b'), names)


def test_a_trunk_has_no_classes() -> None:
    with pytest.raises(UserError, match='no class predictors'):
        map_classes({'backbone.conv.weight': torch.ones(1)}, ('a',), ('a',))
