import copy
import logging
from unittest.mock import Mock

import pytest
import torch
from mmdet.datasets import CocoDataset, VOCDataset
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.hooks import EMAHook
from mmengine.registry import HOOKS

from ssd_plugin.engine.partial_load_hook import PartialLoadHook
from ssd_plugin.errors import UserError

COCO, VOC = (kind.METAINFO['classes'] for kind in (CocoDataset, VOCDataset))
ALIASES = {'aeroplane': 'airplane', 'diningtable': 'dining table', 'motorbike': 'motorcycle'}
ALIASES.update(pottedplant='potted plant', sofa='couch', tvmonitor='tv')


def detector(classes):
    """SSD on a narrow backbone, two levels."""
    register_all_modules()
    torch.manual_seed(classes)
    return MODELS.build(
        dict(
            type='ssd_plugin.SSD',
            input_size=64,
            backbone=dict(type='ResNet', depth=18, base_channels=4, out_indices=(2, 3), init_cfg=None),
            neck=dict(
                type='ssd_plugin.SSDNeck', l2_norm_scale=None, out_channels=(), level_strides=(), level_paddings=()
            ),
            bbox_head=dict(
                type='ssd_plugin.SSDHead',
                num_classes=classes,
                anchor_generator=dict(
                    type='ssd_plugin.SSDAnchorGenerator', basesize_ratio_range=(0.2, 0.9), ratios=[[2], [2]]
                ),
            ),
        )
    )


@pytest.fixture(scope='module')
def coco():
    return detector(80)


@pytest.fixture
def checkpoint(coco, tmp_path):
    path = tmp_path / 'coco.pth'
    torch.save(dict(state_dict=coco.state_dict(), meta=dict(dataset_meta=dict(classes=COCO))), path)
    return str(path)


@pytest.fixture
def runner():
    built = Mock(iter=0, _load_from=None, logger=Mock(spec=logging.Logger), model=detector(20))
    built.train_dataloader.dataset.metainfo = dict(classes=VOC)
    return built


def test_rows_of_the_20_classes_and_all_other_weights(coco, checkpoint, runner):
    HOOKS.build(dict(type='ssd_plugin.PartialLoadHook', checkpoint=checkpoint)).before_train(runner)
    source, target = coco.state_dict(), runner.model.state_dict()
    assert all(torch.equal(target[key], source[key]) for key in source if 'cls_convs' not in key)
    rows = [COCO.index(ALIASES.get(name, name)) for name in VOC] + [80]
    for level in (0, 1):
        for kind in ('weight', 'bias'):
            old, new = (weights[f'bbox_head.cls_convs.{level}.0.{kind}'] for weights in (source, target))
            assert torch.equal(new.unflatten(0, (4, 21)), old.unflatten(0, (4, 81))[:, rows])


def test_one_line_tells_it_all(checkpoint, runner):
    PartialLoadHook(checkpoint).before_train(runner)
    (call,) = runner.logger.method_calls
    line = call.args[0]
    assert line.startswith(f'{checkpoint}: ')
    assert 'in 4 class predictors 20 classes mapped (airplane as aeroplane, dining table as diningtable' in line
    assert ', 0 fresh, 60 dropped (truck, ' in line
    assert line.endswith('; 0 weights of the model fresh, 0 of the checkpoint unused')
    assert '\n' not in line


def test_weights_of_another_shape_stay_fresh(coco, checkpoint, runner):
    runner.model.bbox_head.reg_convs[1][0] = torch.nn.Conv2d(32, 24, 3)
    before = runner.model.bbox_head.reg_convs[1][0].weight.clone()
    PartialLoadHook(checkpoint).before_train(runner)
    assert torch.equal(runner.model.bbox_head.reg_convs[1][0].weight, before)
    assert torch.equal(runner.model.bbox_head.reg_convs[0][0].weight, coco.bbox_head.reg_convs[0][0].weight)
    line = runner.logger.method_calls[0].args[0]
    assert '2 weights of the model fresh (bbox_head.reg_convs.1.0.weight, bbox_head.reg_convs.1.0.bias), 2 of' in line


def test_a_resumed_run_is_left_alone(runner):
    runner.iter = 7
    before = copy.deepcopy(runner.model.state_dict())
    PartialLoadHook('none.pth').before_train(runner)
    assert all(torch.equal(value, before[key]) for key, value in runner.model.state_dict().items())


def test_the_average_of_the_weights_starts_from_them(coco, checkpoint, runner):
    average = EMAHook()
    average.before_run(runner)
    runner._resume = False
    runner.call_hook = lambda name, **arguments: getattr(average, name)(runner, **arguments)
    PartialLoadHook(checkpoint).before_train(runner)
    key = 'backbone.conv1.weight'
    assert torch.equal(average.ema_model.module.state_dict()[key], coco.state_dict()[key])


def test_it_runs_before_the_first_iteration(make_runner, tmp_path):
    source = dict(state_dict={'bbox_head.cls_convs.0.0.weight': torch.zeros(8, 1, 1, 1)})
    source['state_dict']['bbox_head.reg_convs.0.0.weight'] = torch.zeros(16, 1, 1, 1)
    source['state_dict']['linear.weight'] = torch.full((1, 2), 5.0)
    torch.save(dict(source, meta=dict(dataset_meta=dict(classes=('toy',)))), tmp_path / 'toy.pth')
    hook = dict(type='ssd_plugin.PartialLoadHook', checkpoint=str(tmp_path / 'toy.pth'))
    trained = make_runner(1, custom_hooks=[hook]).train()
    assert trained.linear.weight.detach().tolist()[0] == pytest.approx([5, 5], abs=0.1)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (dict(state_dict={'a': torch.zeros(1)}), r'no meta\.dataset_meta\.classes, expected the names of its classes'),
        (
            dict(state_dict={'a': torch.zeros(1)}, meta=dict(dataset_meta=dict(classes=('cat',)))),
            r'the weights have no class predictors',
        ),
        (dict(state_dict={}), r'the file holds no weights'),
    ],
)
def test_bad_checkpoints_are_named(content, message, runner, tmp_path):
    path = tmp_path / 'bad.pth'
    torch.save(content, path)
    with pytest.raises(UserError, match=rf'^.*bad\.pth: {message}'):
        PartialLoadHook(str(path)).before_train(runner)


def test_no_file(runner):
    with pytest.raises(UserError, match=r'^none\.pth: no such checkpoint'):
        PartialLoadHook('none.pth').before_train(runner)


def test_nothing_fits(checkpoint, runner):
    runner.model = torch.nn.Linear(2, 2)
    with pytest.raises(UserError, match=r'coco\.pth: none of its \d+ weights fits the model'):
        PartialLoadHook(checkpoint).before_train(runner)


def test_two_checkpoints_at_once(runner):
    runner._load_from = 'other.pth'
    with pytest.raises(
        UserError, match=r'^load_from: other\.pth, expected None beside PartialLoadHook, which loads a\.p'
    ):
        PartialLoadHook('a.pth').before_train(runner)
