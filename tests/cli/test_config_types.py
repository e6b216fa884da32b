from typing import Any

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, TASK_UTILS

from ssd_plugin.cli.config_types import check_types, find, walk
from ssd_plugin.engine.autocast import AutocastOptimWrapper
from ssd_plugin.errors import UserError


def good() -> dict[str, Any]:
    dataset = {'type': 'VOCDataset', 'pipeline': [{'type': 'LoadImageFromFile'}, {'type': 'mmdet.RandomFlip'}]}
    loader = {'dataset': {'type': 'RepeatDataset', 'dataset': dataset}, 'sampler': {'type': 'DefaultSampler'}}
    return {
        'default_scope': 'mmdet',
        'model': {
            'type': 'SingleStageDetector',
            'backbone': {'type': 'ResNet', 'norm_cfg': {'type': 'BN'}, 'init_cfg': {'type': 'Pretrained'}},
            'neck': [{'type': 'FPN'}],
            'bbox_head': {'type': 'SSDHead', 'anchor_generator': {'type': 'SSDAnchorGenerator'}},
            'test_cfg': {'nms': {'type': 'nms'}},
        },
        'train_dataloader': loader,
        'test_dataloader': loader,
        'val_evaluator': [{'type': 'VOCMetric'}],
        'test_evaluator': {'type': 'CocoMetric'},
        'train_cfg': {'type': 'EpochBasedTrainLoop'},
        'optim_wrapper': {'type': 'ssd_plugin.AutocastOptimWrapper', 'optimizer': {'type': 'SGD'}},
        'param_scheduler': [{'type': 'LinearLR'}, {'type': 'MultiStepLR'}],
        'default_hooks': {'logger': {'type': 'LoggerHook'}},
        'custom_hooks': [{'type': 'ssd_plugin.AnnotationReportHook'}],
        'visualizer': {'type': 'DetLocalVisualizer', 'vis_backends': [{'type': 'LocalVisBackend'}]},
    }


@pytest.mark.parametrize('mode', ['train', 'test', 'infer'])
def test_known_types_pass(mode: str) -> None:
    check_types(Config(good()), mode)


@pytest.mark.parametrize(
    ('key', 'value', 'mode', 'expected'),
    [
        ('model.backbone.type', 'ResNett', 'infer', 'ResNet'),
        ('model.neck.0.type', 'FPPN', 'train', 'FPN'),
        ('model.bbox_head.anchor_generator.type', 'SSDAnchorGen', 'test', 'SSDAnchorGenerator'),
        ('model.backbone.norm_cfg.type', 'BNN', 'test', 'BN'),
        ('train_dataloader.dataset.dataset.pipeline.0.type', 'LoadImage', 'train', 'LoadImageFromFile'),
        ('val_evaluator.0.type', 'VocMetric', 'train', 'VOCMetric'),
        ('optim_wrapper.type', 'ssd_plugin.AutocastWrapper', 'train', 'ssd_plugin.AutocastOptimWrapper'),
        ('optim_wrapper.optimizer.type', 'SDG', 'train', 'SGD'),
        ('param_scheduler.1.type', 'MultistepLR', 'train', 'MultiStepLR'),
        ('custom_hooks.0.type', 'ssd_plugin.AnnotationHook', 'test', 'ssd_plugin.AnnotationReportHook'),
        ('default_hooks.logger.type', 'LogHook', 'test', 'LoggerHook'),
    ],
)
def test_an_unknown_type_is_named_with_the_closest(key: str, value: str, mode: str, expected: str) -> None:
    config = Config(good())
    config.merge_from_dict({key: value})
    with pytest.raises(UserError) as caught:
        check_types(config, mode)
    line = str(caught.value)
    path = key.replace('.0', '[0]').replace('.1', '[1]')
    assert line.startswith(f'{path}: {value!r} is not registered, expected one like ')
    close = line.partition(' like ')[2].split(', ')
    assert len(close) == 3
    assert expected in close


def test_sections_of_the_other_mode_are_left_alone() -> None:
    config = Config({**good(), 'optim_wrapper': {'type': 'Nothing'}})
    check_types(config, 'test')
    with pytest.raises(UserError, match=r"^optim_wrapper\.type: 'Nothing'"):
        check_types(config, 'train')


def test_types_that_are_in_no_registry_are_left_alone() -> None:
    config = Config(good())
    config.model.bbox_head['some_option'] = {'type': 'conv'}
    config.train_dataloader.dataset.dataset.pipeline.append({'type': 'Albu', 'transforms': [{'type': 'Blur'}]})
    check_types(config, 'train')
    config.model.bbox_head['some_option'] = {'type': 'ssd_plugin.Nothing'}
    with pytest.raises(UserError, match=r"^model\.bbox_head\.some_option\.type: 'ssd_plugin\.Nothing'"):
        check_types(config, 'train')


def test_an_unknown_scope() -> None:
    with pytest.raises(UserError, match=r"^default_scope: 'mmdettt' has no registries"):
        check_types(Config({**good(), 'default_scope': 'mmdettt'}), 'train')
    config = Config(good())
    config.model.type = 'mmpretrained.ResNet'
    with pytest.raises(UserError, match=r"^model\.type: 'mmpretrained\.ResNet' is not registered"):
        check_types(config, 'train')


def test_find_looks_in_the_scope_and_above() -> None:
    from mmdet.models import SSDVGG

    from ssd_plugin.registry import OPTIM_WRAPPERS

    assert find(MODELS, 'SSDVGG', 'mmdet') is SSDVGG
    assert find(MODELS, 'mmdet.SSDVGG', None) is SSDVGG
    assert find(MODELS, 'SSDVGG', None) is None
    assert find(TASK_UTILS, 'SSDVGG', 'mmdet') is None
    assert find(OPTIM_WRAPPERS.parent, 'ssd_plugin.AutocastOptimWrapper', 'mmdet') is AutocastOptimWrapper


def test_walk_visits_dicts_in_lists() -> None:
    value = {'a': [{'b': 1}, ({'c': {}},)], 'd': 'text'}
    assert [path for path, _ in walk(value, 'x')] == ['x', 'x.a[0]', 'x.a[1][0]', 'x.a[1][0].c']
    assert list(walk(None, 'x')) == []
