from pathlib import Path
from typing import Any

import pytest
from dirty_data import edit_json, write_data
from mmengine.config import Config

from ssd_plugin.cli.validate_config import validate_config
from ssd_plugin.errors import UserError


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    write_data(tmp_path)
    dataset = {
        'type': 'CocoDataset',
        'data_root': str(tmp_path),
        'ann_file': 'train.json',
        'data_prefix': {'img': 'JPEGImages/'},
        'metainfo': {'classes': ('cat', 'dog')},
    }
    return {
        'default_scope': 'mmdet',
        'model': {
            'type': 'SingleStageDetector',
            'backbone': {'type': 'ResNet'},
            'bbox_head': {'type': 'SSDHead', 'num_classes': 2},
        },
        'train_dataloader': {'dataset': dataset},
        'test_dataloader': {'dataset': dataset},
        'train_cfg': {'by_epoch': True, 'max_epochs': 1},
        'test_cfg': {'type': 'TestLoop'},
        'test_evaluator': {'type': 'CocoMetric'},
        'optim_wrapper': {'optimizer': {'type': 'SGD'}},
    }


@pytest.mark.parametrize('mode', ['train', 'test', 'infer'])
def test_a_good_config_passes(mode: str, settings: dict) -> None:
    validate_config(Config(settings), mode)


@pytest.mark.parametrize(
    ('mode', 'section'), [('train', 'optim_wrapper'), ('test', 'test_evaluator'), ('infer', 'model')]
)
def test_a_missing_section_raises(mode: str, section: str, settings: dict) -> None:
    settings.pop(section)
    with pytest.raises(UserError, match=rf'no {section}, expected one in a config to {mode} with$'):
        validate_config(Config(settings), mode)


def test_each_check_is_made(settings: dict) -> None:
    for key, value, line in (
        ('test_dataloader.dataset.ann_file', 'none', r'^test_dataloader\.dataset\.ann_file: .* does not exist'),
        ('model.bbox_head.num_classes', 9, r'^model\.bbox_head\.num_classes: 9, expected 2'),
        ('load_from', 'none.pth', r'^load_from: none\.pth does not exist, expected a checkpoint file$'),
    ):
        config = Config(settings)
        config.merge_from_dict({key: value})
        with pytest.raises(UserError, match=line):
            validate_config(config, 'test')


def test_the_optimizer_is_looked_up_for_training(settings: dict) -> None:
    settings['optim_wrapper']['optimizer']['type'] = 'SDG'
    validate_config(Config(settings), 'test')
    with pytest.raises(UserError, match=r"^optim_wrapper\.optimizer\.type: 'SDG' is not registered, expected .*SGD"):
        validate_config(Config(settings), 'train')


def test_inference_needs_no_data(settings: dict) -> None:
    settings['test_dataloader']['dataset']['data_root'] = 'none'
    validate_config(Config(settings), 'infer')
    with pytest.raises(UserError, match=r'^test_dataloader\.dataset\.data_root: none does not exist'):
        validate_config(Config(settings), 'test')


def test_checkpoints_of_the_backbone_are_looked_for_in_training(settings: dict, tmp_path: Path) -> None:
    settings['model']['backbone']['init_cfg'] = {'type': 'Pretrained', 'checkpoint': 'torchvision://resnet18'}
    validate_config(Config(settings), 'train')
    settings['model']['backbone']['init_cfg']['checkpoint'] = 'none.pth'
    validate_config(Config(settings), 'test')
    with pytest.raises(UserError, match=r'^model\.backbone\.init_cfg\.checkpoint: none\.pth does not exist'):
        validate_config(Config(settings), 'train')
    (tmp_path / 'here.pth').touch()
    validate_config(Config({**settings, 'load_from': str(tmp_path / 'here.pth')}), 'test')


def test_checkpoints_of_hooks_are_looked_for_unless_the_run_is_resumed(settings: dict) -> None:
    settings['custom_hooks'] = [{'type': 'ssd_plugin.PartialLoadHook', 'checkpoint': 'none.pth'}]
    with pytest.raises(UserError, match=r'^custom_hooks\[0\]\.checkpoint: none\.pth does not exist'):
        validate_config(Config(settings), 'train')
    validate_config(Config(settings), 'test')
    validate_config(Config({**settings, 'resume': True}), 'train')


def test_annotations_that_need_repairs_are_read_from_a_copy(settings: dict, tmp_path: Path) -> None:
    config = Config({**settings, 'work_dir': str(tmp_path / 'work')})
    assert validate_config(config, 'train') == []
    assert not (tmp_path / 'work').exists()
    edit_json(tmp_path / 'train.json', lambda content: content['annotations'][0].pop('area'))
    (line,) = validate_config(config, 'train')
    assert line.startswith(f'repaired in a copy ({tmp_path}/work/repaired_annotations/1): annotations: area')
    assert config.train_dataloader.dataset.ann_file == f'{tmp_path}/work/repaired_annotations/1/train.json'


def test_another_mode_is_a_mistake_of_the_program(settings: dict) -> None:
    with pytest.raises(ValueError, match=r"mode must be one of \('train', 'test', 'infer'\), got 'eval'"):
        validate_config(Config(settings), 'eval')


def test_a_scope_that_is_not_there(settings: dict) -> None:
    settings['default_scope'] = 'mmdett'
    with pytest.raises(UserError, match=r"^default_scope: 'mmdett', expected an installed package such as mmdet$"):
        validate_config(Config(settings), 'train')


def test_a_misspelt_setting_that_the_checkpoint_hook_would_pass_on(settings: dict) -> None:
    settings['default_hooks'] = {'checkpoint': {'type': 'CheckpointHook', 'interval': 2, 'priority': 'LOW'}}
    validate_config(Config(settings), 'train')
    settings['default_hooks']['checkpoint']['max_keep'] = 3
    line = r'^default_hooks\.checkpoint\.max_keep: no such setting, expected one like max_keep_ckpts, '
    with pytest.raises(UserError, match=line):
        validate_config(Config(settings), 'train')


def test_half_an_evaluation(settings: dict) -> None:
    settings['val_cfg'] = {}
    line = r'^val_dataloader, val_evaluator: missing, expected all of val_dataloader, val_cfg, val_evaluator, or none$'
    with pytest.raises(UserError, match=line):
        validate_config(Config(settings), 'train')
    validate_config(Config(settings), 'infer')


def test_a_place_that_cannot_be_written_to(settings: dict, tmp_path: Path) -> None:
    settings['work_dir'] = str(tmp_path / 'train.json')
    with pytest.raises(UserError, match=r'^work_dir: .*train\.json cannot be written to \(Not a directory at '):
        validate_config(Config(settings), 'train')
    validate_config(Config(settings), 'infer')
