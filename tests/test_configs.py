"""The gate: every shipped config trains a step and predicts."""

import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS, TRANSFORMS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from torch import nn

from ssd_plugin.config_edits import at_size
from ssd_plugin.mmcv_ops import has_compiled_ops, has_torchvision
from ssd_plugin.models.backbones import ssd_vgg

CONFIGS = Path(__file__).parents[1] / 'configs'
BASES = sorted((CONFIGS / '_base_').rglob('*.py'))
VARIANTS = sorted(set(CONFIGS.rglob('*.py')) - set(BASES))
BACKBONES = [path for path in VARIANTS if path.parent.name == 'backbones']
# Detectors of mmdet's own, at their full width.
COMPARATORS = [path for path in VARIANTS if path.parent.name == 'comparators']
# Of the backbones these; the others take seconds each.
FAST_BACKBONES = {f'ssd300_{name}_voc0712.py' for name in ('mobilenetv2', 'r18', 'vgg11', 'vgg16bn')}
GATED = [
    pytest.param(path, marks=pytest.mark.slow if path in BACKBONES and path.name not in FAST_BACKBONES else ())
    for path in VARIANTS
    if path not in COMPARATORS
]


def name_of(path):
    return str(path.relative_to(CONFIGS))


def load(path):
    register_all_modules()
    return Config.fromfile(path)


@pytest.fixture
def narrow(monkeypatch):
    """An eighth of VGG's channels: neck and head measure what the backbone gives, so that nothing else changes."""
    monkeypatch.setattr(ssd_vgg, 'BLOCK_CHANNELS', (8, 16, 32, 64, 64))


@pytest.fixture(scope='module')
def sample(tmp_path_factory):
    """An image on disk with one object, as a data set describes it."""
    path = tmp_path_factory.mktemp('images') / 'image.jpg'
    pixels = np.random.RandomState(0).randint(0, 256, (240, 320, 3), dtype=np.uint8)
    cv2.rectangle(pixels, (80, 60), (240, 200), (30, 200, 60), -1)
    cv2.imwrite(str(path), pixels)
    instance = dict(bbox=[80, 60, 240, 200], bbox_label=0, ignore_flag=0)
    return dict(img_path=str(path), img_id=1, height=240, width=320, instances=[instance])


def small(config):
    model = copy.deepcopy(config.model)
    model['backbone']['init_cfg'] = None  # no download
    if model['type'].startswith('ssd_plugin.') and model['backbone']['type'] == 'ResNet':
        # Not less: a detector of fewer channels leaves the channels-last order, in which users train.
        model['backbone']['base_channels'] = 16
    return model


def build(config, folder):
    model = small(config)
    if 'teacher_config' in model:
        teacher = small(Config.fromfile(model['teacher_config']))
        model.update(teacher_config=dict(model=teacher), teacher_ckpt=folder / 'teacher.pth')
        torch.save(MODELS.build(teacher).state_dict(), model['teacher_ckpt'])
    return MODELS.build(model)


def load_for_training(dataset, sample):
    """Send a sample through a data set's pipeline; a wrapper that mixes images gets the sample for each of them."""
    if dataset.type != 'MultiImageMixDataset':
        return pipeline_of(dataset)(dict(sample))
    mixed = {'Mosaic': 4, 'MixUp': 2}[dataset.pipeline[0].type]
    images = [load_for_training(dataset.dataset, sample) for _ in range(mixed)]
    return pipeline_of(dataset)(dict(images[0], mix_results=images[1:]))


def pipeline_of(dataset):
    while 'pipeline' not in dataset:
        dataset = dataset.dataset if 'dataset' in dataset else dataset.datasets[0]
    return Compose([TRANSFORMS.build(step) for step in dataset.pipeline])


@pytest.mark.parametrize('path', GATED, ids=name_of)
def test_config_trains_a_step_and_predicts(path, narrow, sample, tmp_path):
    trains_a_step_and_predicts(load(path), sample, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('path', COMPARATORS, ids=name_of)
def test_comparators_train_and_predict(path, sample, tmp_path):
    if path.name.startswith('faster-rcnn') and not (has_compiled_ops() or has_torchvision()):
        pytest.skip('RoIAlign needs full mmcv, or torchvision')
    trains_a_step_and_predicts(load(path), sample, tmp_path, steps=2)


@pytest.mark.slow
@pytest.mark.parametrize('path', BACKBONES, ids=name_of)
def test_backbones_take_a_rectangle(path, narrow, sample, tmp_path):
    config = load(path)
    at_size(config, (320, 256))
    trains_a_step_and_predicts(config, sample, tmp_path)


def trains_a_step_and_predicts(config, sample, folder, steps=1):
    torch.manual_seed(0)
    np.random.seed(0)
    # Untrained scores lie below any sensible threshold; a lower one makes the prediction do its whole work.
    limits = config.model.test_cfg.get('rcnn', config.model.test_cfg)
    # Two steps without warm-up leave the second stage of Faster R-CNN nearly sure of the background.
    lowest = 1e-4 if limits is config.model.test_cfg else 0.0
    limits.update({name: lowest for name in ('score_thr', 'conf_thr') if name in limits})
    detector = build(config, folder)

    dataset = config.train_dataloader.dataset
    batch = pseudo_collate([load_for_training(dataset, sample) for _ in range(2)])
    wrapper = build_optim_wrapper(detector, config.optim_wrapper)
    head = detector.roi_head.bbox_head if 'roi_head' in config.model else detector.bbox_head
    before = next(head.parameters()).detach().clone()
    detector.train()
    for step in range(steps):
        MessageHub.get_current_instance().update_info('iter', step)  # as in a run; BatchSyncRandomResize reads it
        losses = detector.train_step(batch, wrapper)
        assert torch.isfinite(losses['loss'])
        assert losses['loss'] > 0
    assert not torch.equal(before, next(head.parameters()))

    test = pipeline_of(config.test_dataloader.dataset)
    detector.eval()
    with torch.no_grad():
        (detection,) = detector.test_step(pseudo_collate([test(dict(sample))]))
    found = detection.pred_instances
    assert 0 < len(found) <= limits.max_per_img
    assert torch.isfinite(found.bboxes).all()
    # mmdet's YOLOv3 is the one whose boxes are not clipped to the image.
    assert config.model.type == 'YOLOV3' or (found.bboxes[:, 2:] <= torch.tensor([320.0, 240.0]) + 1e-3).all()


@pytest.mark.parametrize('path', VARIANTS, ids=name_of)
def test_pipelines_and_network_have_one_input_size(path):
    config = load(path)
    size = config.model.get('input_size', config.input_size)
    size = (size, size) if isinstance(size, int) else tuple(size)
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        datasets = loader.dataset.get('datasets') or [loader.dataset]
        scales = [step.scale for dataset in datasets for step in dataset.pipeline if 'scale' in step]
        assert scales
        assert all(tuple(scale) == size for scale in scales)


@pytest.mark.parametrize('path', VARIANTS, ids=name_of)
def test_head_and_data_have_the_same_classes(path):
    config = load(path)
    dataset = config.val_dataloader.dataset
    metainfo = dataset.get('metainfo') or DATASETS.get(dataset.type).METAINFO
    head = config.model.get('roi_head', config.model).bbox_head
    assert head.num_classes == len(metainfo['classes'])


@pytest.mark.parametrize('path', VARIANTS, ids=name_of)
def test_a_cosine_ends_with_the_run(path):
    config = load(path)
    for scheduler in config.param_scheduler:
        if scheduler.type == 'CosineAnnealingLR':
            assert scheduler.get('begin', 0) + scheduler.T_max == config.train_cfg.max_epochs


@pytest.mark.parametrize('path', COMPARATORS, ids=name_of)
def test_comparators_train_as_ours_from_random_weights(path):
    config, ours = load(path), load(CONFIGS / 'bccd' / 'ssd300_r18_bccd.py')
    for section in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'val_evaluator', 'test_dataloader'):
        if path.name.startswith('yolov3') and section == 'test_dataloader':
            at_size(ours, config.input_size)
        assert config[section] == ours[section]
    assert config.train_dataloader.batch_size == ours.train_dataloader.batch_size
    assert config.model.backbone.get('init_cfg') is None
    assert config.model.backbone.get('frozen_stages', -1) == -1
    assert config.model.backbone.get('norm_eval', False) is False


def test_mmdets_parts_leave_out_a_box_without_area(tmp_path, monkeypatch):
    for name in ('Annotations', 'JPEGImages', 'ImageSets/Main'):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / 'ImageSets' / 'Main' / 'train.txt').write_text('a\n')
    box = (
        '<object><name>RBC</name><bndbox><xmin>{}</xmin><ymin>9</ymin><xmax>60</xmax><ymax>50</ymax></bndbox></object>'
    )
    size = '<size><width>80</width><height>64</height></size>'
    annotation = f'<annotation>{size}{box.format(8)}{box.format(60)}</annotation>'
    (tmp_path / 'Annotations' / 'a.xml').write_text(annotation)
    monkeypatch.setenv('BCCD_ROOT', str(tmp_path))
    dataset = DATASETS.build(load(CONFIGS / 'comparators' / 'ssd300_r18_mmdet-parts_bccd.py').train_dataloader.dataset)
    assert [found['ignore_flag'] for found in dataset.get_data_info(0)['instances']] == [0, 1]


@pytest.mark.parametrize('path', VARIANTS, ids=name_of)
def test_a_variant_holds_only_what_differs(path):
    assert len(path.read_text().splitlines()) <= 25


@pytest.mark.parametrize('path', BASES, ids=name_of)
def test_a_base_is_short(path):
    assert len(path.read_text().splitlines()) <= 60


def test_biases_learn_twice_as_fast_and_do_not_decay(narrow, tmp_path):
    config = load(CONFIGS / 'ssd' / 'ssd300_vgg16_voc0712.py')
    detector = build(config, tmp_path)
    groups = build_optim_wrapper(detector, config.optim_wrapper).optimizer.param_groups
    options = {id(group['params'][0]): (group['lr'], group['weight_decay']) for group in groups}
    conv = detector.backbone.features[0]
    assert isinstance(conv, nn.Conv2d)
    assert options[id(conv.weight)] == (1e-3, 5e-4)
    assert options[id(conv.bias)] == (2e-3, 0.0)
    assert options[id(detector.neck.l2_norm.weight)] == (1e-3, 5e-4)
