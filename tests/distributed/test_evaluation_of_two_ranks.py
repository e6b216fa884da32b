"""An evaluation by two processes gives the figures of one, with a number of images that does not divide."""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config

ROOT = Path(__file__).parents[2]
# Nine images, evaluated by mmdet's and our metrics.
CONFIGS = {
    'coco': """
evaluators = [dict(type='CocoMetric', ann_file='{shapes}/annotations/train.json', metric='bbox', classwise=True)]
data = dict(ann_file='annotations/train.json')
""",
    'voc': """
evaluators = [dict(type='ssd_plugin.VOC07Metric'), dict(type='VOCMetric', prefix='area', eval_mode='area')]
data = dict(type='VOCDataset', ann_file='ImageSets/Main/train.txt', data_prefix=dict(_delete_=True, sub_data_root=''))
""",
}


@pytest.mark.slow
@pytest.mark.parametrize('layout', CONFIGS)
def test_two_processes_equal_one(layout, shapes, start, free_port, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(
        f"""_base_ = '{ROOT}/configs/shapes/ssd300_r18_shapes.py'
{CONFIGS[layout].replace('{shapes}', str(shapes))}
model = dict(backbone=dict(base_channels=8), test_cfg=dict(score_thr=0.05))
test_dataloader = dict(batch_size=2, dataset=data)
test_evaluator = evaluators
"""
    )
    register_all_modules()
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    torch.save(dict(meta={}, state_dict=model.state_dict()), tmp_path / 'a.pth')
    found = []
    for name, command in {
        'one': (sys.executable, 'tools/test.py', config, tmp_path / 'a.pth'),
        'two': ('env', f'PORT={free_port}', 'bash', 'tools/dist_test.sh', config, tmp_path / 'a.pth', 2),
    }.items():
        work = tmp_path / name
        process = start(*command, '--work-dir', work, '--out', tmp_path / f'{name}.pkl')
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
        (figures,) = (path for path in work.glob('*/*.json') if path.stem == path.parent.name)
        found.append((json.loads(figures.read_text()), pickle.loads((tmp_path / f'{name}.pkl').read_bytes())))
    (figures, samples), (figures_of_two, samples_of_two) = found
    timings = {'data_time', 'time'}
    assert len(samples) == len(samples_of_two) == 9  # odd
    assert {key: value for key, value in figures.items() if key not in timings} == pytest.approx(
        {key: value for key, value in figures_of_two.items() if key not in timings}, rel=0, abs=0, nan_ok=True
    )
    for one, two in zip(samples, samples_of_two):
        assert one['img_id'] == two['img_id']
        assert len(one['pred_instances']['scores']) > 0
        for key, value in one['pred_instances'].items():
            np.testing.assert_array_equal(value, two['pred_instances'][key])
