from dataclasses import replace
from pathlib import Path

import torch
from mmengine.runner import load_checkpoint

from ssd_plugin.converters.result import ConvertedWeights, DataPreprocessor


def test_checkpoint() -> None:
    weights = ConvertedWeights('caffe', {'a': torch.zeros(1)}, 2, DataPreprocessor(), 'ssd300-voc')
    checkpoint = weights.checkpoint(['cat', 'dog'], {'epoch': 7})
    assert checkpoint['meta'] == {
        'epoch': 7,
        'ssd_plugin': {
            'converted_from': 'caffe',
            'data_preprocessor': {'mean': [123.0, 117.0, 104.0], 'std': [1.0, 1.0, 1.0], 'bgr_to_rgb': True},
            'default_boxes': 'ssd300-voc',
        },
        'dataset_meta': {'classes': ('cat', 'dog')},
    }


def test_unknown_things_are_left_out() -> None:
    checkpoint = ConvertedWeights('ours', {}, 2, None).checkpoint(None)
    assert checkpoint['meta'] == {'ssd_plugin': {'converted_from': 'ours'}}


def test_config_line() -> None:
    mean = 'data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[1.0, 1.0, 1.0], bgr_to_rgb=True)'
    weights = ConvertedWeights('mmdet', {}, 2, DataPreprocessor((123.675, 116.28, 103.53), bgr_to_rgb=True))
    assert weights.config_line() == f'model = dict({mean})'
    clipped = replace(weights, clip_centers=True)
    assert clipped.config_line() == f'model = dict({mean}, bbox_head=dict(anchor_generator=dict(clip_centers=True)))'
    assert clipped.checkpoint(None)['meta']['ssd_plugin']['clip_centers'] is True
    assert ConvertedWeights('ours', {}, 2, None).config_line() is None


def test_mmengine_loads_it(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 1)
    state = {key: torch.ones_like(value) for key, value in model.state_dict().items()}
    torch.save(ConvertedWeights('ours', state, 1, DataPreprocessor()).checkpoint(['cat']), tmp_path / 'x.pth')
    load_checkpoint(model, str(tmp_path / 'x.pth'), strict=True)
    assert model.weight.tolist() == [[1, 1]]
