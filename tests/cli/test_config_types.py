from pathlib import Path
from typing import Any

import pytest
from mmdet.models import SSDVGG
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import MODELS, OPTIM_WRAPPERS, TASK_UTILS
from torch.utils.data import DataLoader

from ssd_plugin.cli.config_types import find, refusals_in_one_line, walk
from ssd_plugin.engine.autocast import AutocastOptimWrapper
from ssd_plugin.errors import UserError


@pytest.fixture
def config(tmp_path: Path) -> Config:
    register_all_modules()
    head = {'type': 'SSDHead', 'num_classes': 2, 'anchor_generator': {'type': 'SSDAnchorGenerator'}}
    model = {'type': 'SingleStageDetector', 'backbone': {'type': 'ResNet', 'depth': 18}, 'bbox_head': head}
    (tmp_path / 'a.py').touch()
    return Config({'default_scope': 'mmdet', 'model': model}, filename=tmp_path / 'a.py')


@pytest.mark.parametrize(
    ('key', 'value', 'close'),
    [
        ('model.type', 'ssd_plugin.SSDD', {'ssd_plugin.SSD', 'ssd_plugin.SSDVGG', 'ssd_plugin.SSDNeck'}),
        ('model.type', 'no.such.module', set()),
        ('model.backbone.type', 'ResNett', {'ResNet', 'ResNeXt', 'ResNeSt'}),
        ('model.bbox_head.anchor_generator.type', 'SSDAnchorGen', {'SSDAnchorGenerator'}),
    ],
)
def test_an_unknown_type_is_named_with_the_closest(key: str, value: str, close: set, config: Config) -> None:
    config.merge_from_dict({key: value})
    with pytest.raises(UserError) as caught, refusals_in_one_line(config):
        MODELS.build(config.model)
    line = str(caught.value)
    assert line.startswith(f'{key}: {value!r} is not registered, expected one like ')
    found = line.partition(' like ')[2].split(', ')
    assert len(found) == 3
    assert close <= set(found)


def test_each_place_is_named_or_else_the_file(config: Config) -> None:
    config.hooks = [{'type': 'A'}, {'type': 'B'}, {'inner': ({'type': 'A'},)}]
    message = 'A is not in the mmengine::optimizer wrapper registry. Please check'
    line = r"^hooks\[0\]\.type, hooks\[2\]\.inner\[0\]\.type: 'A' is not registered"
    with pytest.raises(UserError, match=line), refusals_in_one_line(config):
        raise KeyError(message)
    with pytest.raises(UserError, match=r"a\.py: 'C' is not registered"), refusals_in_one_line(config):
        raise KeyError(message.replace('A is', 'C is'))


def test_a_wrong_scope_shows_in_the_names(config: Config) -> None:
    config.default_scope = 'mmdettt'
    config.model.type = 'DetDataPreprocessor'
    line = r"^model\.type: 'DetDataPreprocessor' is not registered, .*mmdet\.DetDataPreprocessor"
    with pytest.raises(UserError, match=line), refusals_in_one_line(config):
        MODELS.build(dict(config.model, _scope_=config.default_scope))


def test_an_unknown_key_is_named_with_the_closest(config: Config) -> None:
    config.train_dataloader = {'batch_size': 2, 'num_worker': 1}
    config.model.backbone.norm_evl = True
    line = r'^model\.backbone\.norm_evl: no such setting, expected one like norm_eval, '
    with pytest.raises(UserError, match=line), refusals_in_one_line(config):
        MODELS.build(config.model)
    line = r'^train_dataloader\.num_worker: no such setting, expected one like num_workers, '
    with pytest.raises(UserError, match=line), refusals_in_one_line(config):
        DataLoader([1], **config.train_dataloader)
    with pytest.raises(TypeError, match='other'), refusals_in_one_line(config):
        DataLoader([1], other=1)


@pytest.mark.parametrize(
    ('key', 'value', 'line'),
    [
        ('model.backbone.depth', 19, 'model.backbone: ResNet refuses its settings (KeyError: invalid depth 19'),
        (
            'model.data_preprocessor',
            {'type': 'DetDataPreprocessor', 'mean': [1, 2], 'std': [1, 2]},
            'model.data_preprocessor: DetDataPreprocessor refuses its settings (AssertionError: `mean` should have',
        ),
        (
            'model.bbox_head.anchor_generator.scale_major',
            3,
            'model.bbox_head.anchor_generator: SSDAnchorGenerator refuses its settings (TypeError: ',
        ),
    ],
)
def test_a_refused_value_names_its_part(key: str, value: Any, line: str, config: Config) -> None:
    config.merge_from_dict({key: value})
    with pytest.raises(UserError) as caught, refusals_in_one_line(config):
        MODELS.build(config.model)
    assert str(caught.value).startswith(line)
    assert '\n' not in str(caught.value)


def test_of_parts_of_a_type_the_equal_one_is_meant(config: Config) -> None:
    config.other = {'type': 'ResNet', 'depth': 50}
    config.model.backbone.depth = 19
    with pytest.raises(UserError, match=r'^model\.backbone: ResNet refuses'), refusals_in_one_line(config):
        MODELS.build(config.model)


def test_a_misspelt_key_of_a_part_that_the_detector_builds(config: Config) -> None:
    config.model = {
        'type': 'ssd_plugin.SSD',
        'input_size': 300,
        'backbone': {'type': 'ResNet', 'depth': 18},
        'neck': {'type': 'ssd_plugin.SSDNeck', 'out_chanels': (1, 2)},
        'bbox_head': config.model.bbox_head,
    }
    line = r'^model\.neck\.out_chanels: no such setting, expected one like out_channels, '
    with pytest.raises(UserError, match=line), refusals_in_one_line(config):
        MODELS.build(config.model)


def test_other_errors_pass(config: Config) -> None:
    for error in (KeyError('bboxes'), KeyError(3), TypeError('A'), ValueError('A is not in the B registry')):
        with pytest.raises(type(error)) as caught, refusals_in_one_line(config):
            raise error
        assert caught.value is error


def test_find_looks_in_the_scope_and_above() -> None:
    assert find(MODELS, 'SSDVGG', 'mmdet') is SSDVGG
    assert find(MODELS, 'mmdet.SSDVGG', None) is SSDVGG
    assert find(MODELS, SSDVGG, 'mmdet') is SSDVGG
    assert find(MODELS, 'SSDVGG', 'mmengine') is None
    assert find(MODELS, 'mmpretrained.ResNet', 'mmdet') is None
    assert find(TASK_UTILS, 'SSDVGG', 'mmdet') is None
    assert find(OPTIM_WRAPPERS, 'ssd_plugin.AutocastOptimWrapper', 'mmdet') is AutocastOptimWrapper


def test_walk_visits_dicts_in_lists() -> None:
    value = {'a': [{'b': 1}, ({'c': {}},)], 'd': 'text'}
    assert [path for path, _ in walk(value, 'x')] == ['x', 'x.a[0]', 'x.a[1][0]', 'x.a[1][0].c']
    assert [path for path, _ in walk(value, '')] == ['', 'a[0]', 'a[1][0]', 'a[1][0].c']
    assert list(walk(None, 'x')) == []
