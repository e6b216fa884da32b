"""A config that edits its base holds the edits in every pipeline, and stays a plain config."""

import inspect
import pickle
import subprocess
import sys

import pytest
from mmdet.datasets.transforms import PackDetInputs
from mmengine.config import Config

from ssd_plugin.config_edits import at_size, fine_tuned_from, trained_for, with_step, with_tta, without_expansion
from ssd_plugin.errors import UserError

BASE = """
model = dict(type='SSD', input_size=300, bbox_head=dict(num_classes=20))
train_pipeline = [dict(type='LoadImage'), dict(type='ssd_plugin.SSDAugment', scale=(300, 300))]
test_pipeline = [dict(type='ssd_plugin.SSDResize', scale=(300, 300)), dict(type='PackDetInputs')]
tta_pipeline = [dict(type='TestTimeAug', transforms=[[dict(type='Resize', scale=(300, 300))]])]
part = dict(type='VOCDataset', pipeline=train_pipeline)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(type='RepeatDataset', times=2, dataset=dict(type='ConcatDataset', datasets=[part, part])),
)
val_dataloader = dict(dataset=dict(type='VOCDataset', pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(type='IterBasedTrainLoop', max_iters=100)
param_scheduler = [
    dict(type='LinearLR', begin=0, end=5),
    dict(type='MultiStepLR', by_epoch=False, milestones=[60, 80], gamma=0.1),
]
custom_hooks = [dict(type='CheckInvalidLossHook')]
"""
VARIANT = """
_base_ = './base.py'
from ssd_plugin.config_edits import at_size, trained_for, without_expansion

model = dict(bbox_head=dict(num_classes=3))
at_size(_base_, (400, 300))
without_expansion(_base_)
trained_for(_base_, 50, milestones=[30])
val_dataloader = dict(batch_size=4)
"""


@pytest.fixture
def base(tmp_path):
    (tmp_path / 'base.py').write_text(BASE)
    return Config.fromfile(tmp_path / 'base.py')


@pytest.fixture
def variant(base, tmp_path):
    (tmp_path / 'variant.py').write_text(VARIANT)
    return tmp_path / 'variant.py'


def train_parts(config):
    return config.train_dataloader.dataset.dataset.datasets


def test_edits_of_the_base_and_assignments_are_merged(variant):
    config = Config.fromfile(variant)
    assert config.model.to_dict() == dict(type='SSD', input_size=(400, 300), bbox_head=dict(num_classes=3))
    augment = dict(type='ssd_plugin.SSDAugment', scale=(400, 300), expand_prob=0.0)
    for pipeline in (config.train_pipeline, *(part.pipeline for part in train_parts(config))):
        assert [dict(step) for step in pipeline] == [dict(type='LoadImage'), augment]
    for pipeline in (config.test_pipeline, *(config[f'{key}_dataloader'].dataset.pipeline for key in ('val', 'test'))):
        assert [step.get('scale') for step in pipeline] == [(400, 300), None]
    assert config.tta_pipeline[0].transforms[0][0].scale == (400, 300)
    assert (config.val_dataloader.batch_size, config.train_dataloader.batch_size) == (4, 32)
    assert config.train_cfg.to_dict() == dict(type='IterBasedTrainLoop', max_iters=50)
    assert config.param_scheduler[0].to_dict() == dict(type='LinearLR', begin=0, end=5)
    assert config.param_scheduler[1].milestones == [30]


def test_base_itself_is_not_changed(base, variant):
    Config.fromfile(variant)
    assert Config.fromfile(base.filename).to_dict() == base.to_dict()


def test_edited_config_is_plain(variant, tmp_path):
    config = Config.fromfile(variant)
    assert 'at_size' not in config
    config.dump(tmp_path / 'dumped.py')
    assert Config.fromfile(tmp_path / 'dumped.py').to_dict() == config.to_dict()
    assert pickle.loads(pickle.dumps(config)).to_dict() == config.to_dict()
    assert Config.fromstring(config.pretty_text, '.py').to_dict() == config.to_dict()


def test_program_that_does_not_know_the_package_reads_it(variant):
    program = 'import sys; from mmengine.config import Config; print(Config.fromfile(sys.argv[1]).model.input_size)'
    done = subprocess.run([sys.executable, '-c', program, str(variant)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '(400, 300)'


def test_loaded_config_is_edited_too(base):
    at_size(base, 416)
    assert base.model.input_size == base.input_size == (416, 416)
    assert train_parts(base)[1].pipeline[1].scale == (416, 416)


@pytest.mark.parametrize('size', [0, -300, 300.0, '300', None, (300,), (300, 0), (1, 2, 3), ('300', 300)])
def test_what_is_no_size(base, size):
    before = base.to_dict()
    with pytest.raises(UserError, match=r'^at_size: .*, expected a side or \(width, height\), whole numbers'):
        at_size(base, size)
    assert base.to_dict() == before


def test_config_without_a_size(base):
    with pytest.raises(UserError, match=r'model\.input_size is missing'):
        at_size(dict(train_pipeline=base.train_pipeline), 300)
    with pytest.raises(UserError, match='no step of any pipeline has a scale'):
        at_size(dict(model=dict(input_size=300, scale=2)), 300)


def test_options_of_a_step(base):
    with_step(base, 'LoadImage', imdecode_backend='pillow', backend_args=None)
    for pipeline in (base.train_pipeline, *(part.pipeline for part in train_parts(base))):
        assert dict(pipeline[0]) == dict(type='LoadImage', imdecode_backend='pillow', backend_args=None)
    assert 'imdecode_backend' not in str(base.test_pipeline)


def test_step_that_is_nowhere(base):
    with pytest.raises(UserError, match=r"^with_step: 'CheckInvalidLossHook' is in no pipeline"):
        with_step(base, 'CheckInvalidLossHook', interval=1)
    with pytest.raises(UserError, match=r"'ssd_plugin\.SSDAugment' is in no pipeline"):
        without_expansion(dict(test_pipeline=[dict(type='ssd_plugin.SSDResize')]))


@pytest.mark.parametrize('milestones', [[40, 30], [30, 30], [50], [30, 60]])
def test_milestones_ascend_within_the_run(base, milestones):
    with pytest.raises(UserError, match=r'^trained_for: milestones .*, expected ascending numbers below 50'):
        trained_for(base, 50, milestones=milestones)


def test_schedule_that_counts_no_iterations(base):
    with pytest.raises(UserError, match=r'no train_cfg\.max_iters or no MultiStepLR'):
        trained_for(dict(train_cfg=base.train_cfg), 50, milestones=[])
    with pytest.raises(UserError, match=r'no train_cfg\.max_iters or no MultiStepLR'):
        trained_for(dict(train_cfg=dict(max_epochs=3), param_scheduler=base.param_scheduler), 50, milestones=[])


def test_last_origin_of_the_weights_counts(base):
    for checkpoint in ('first.pth', 'second.pth'):
        fine_tuned_from(base, checkpoint)
    hook = dict(type='ssd_plugin.PartialLoadHook', checkpoint='second.pth')
    assert [dict(one) for one in base.custom_hooks] == [dict(type='CheckInvalidLossHook'), hook]


def with_tested_set(base):
    base.model.test_cfg = dict(nms=dict(type='nms', iou_threshold=0.45), max_per_img=200, score_thr=0.01)
    return base


def test_images_are_predicted_mirrored_too_with_what_the_metric_needs(base):
    base.test_dataloader = dict(dataset=dict(type='RepeatDataset', dataset=base.test_dataloader.dataset))
    base.test_pipeline[-1].meta_keys = ('img_id', 'instances')
    base.test_dataloader.dataset.dataset.pipeline[-1].meta_keys = ('img_id', 'instances')
    with_tta(with_tested_set(base))
    limits = dict(nms=dict(type='nms', iou_threshold=0.45), max_per_img=200)
    assert base.tta_model.to_dict() == dict(type='DetTTAModel', tta_cfg=limits)
    # The base has a pipeline of its own for this, which stays.
    assert base.tta_pipeline[0].transforms[0][0].type == 'Resize'
    base.pop('tta_pipeline')
    with_tta(base)
    resize, augment = base.tta_pipeline
    assert resize.type == 'ssd_plugin.SSDResize'
    flips, (pack,) = augment.transforms
    assert [flip.prob for flip in flips] == [0.0, 1.0]
    assert tuple(pack.meta_keys) == ('img_id', 'instances', 'flip', 'flip_direction')


def test_what_is_packed_without_being_named_is_packed_of_mirrored_images(base):
    base.pop('tta_pipeline')
    with_tta(with_tested_set(base))
    *_, (pack,) = base.tta_pipeline[-1].transforms
    defaults = inspect.signature(PackDetInputs).parameters['meta_keys'].default
    assert tuple(pack.meta_keys) == defaults
