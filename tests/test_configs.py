"""The gate: every shipped config trains a step and predicts."""

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
from ssd_plugin.models.backbones import ssd_vgg

CONFIGS = Path(__file__).parents[1] / 'configs'
BASES = sorted((CONFIGS / '_base_').rglob('*.py'))
VARIANTS = sorted(set(CONFIGS.rglob('*.py')) - set(BASES))
BACKBONES = [path for path in VARIANTS if path.parent.name == 'backbones']
# Of the backbones these; the others take seconds each.
FAST_BACKBONES = {f'ssd300_{name}_voc0712.py' for name in ('mobilenetv2', 'r18', 'vgg11', 'vgg16bn')}
GATED = [
    pytest.param(path, marks=pytest.mark.slow if path in BACKBONES and path.name not in FAST_BACKBONES else ())
    for path in VARIANTS
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
    model = config.model.to_dict()
    model['backbone']['init_cfg'] = None  # no download
    if model['backbone']['type'] == 'ResNet':
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
@pytest.mark.parametrize('path', BACKBONES, ids=name_of)
def test_backbones_take_a_rectangle(path, narrow, sample, tmp_path):
    config = load(path)
    at_size(config, (320, 256))
    trains_a_step_and_predicts(config, sample, tmp_path)


def trains_a_step_and_predicts(config, sample, folder):
    torch.manual_seed(0)
    np.random.seed(0)
    detector = build(config, folder)

    dataset = config.train_dataloader.dataset
    batch = pseudo_collate([load_for_training(dataset, sample) for _ in range(2)])
    wrapper = build_optim_wrapper(detector, config.optim_wrapper)
    weights = next(detector.bbox_head.parameters()).detach().clone()
    detector.train()
    MessageHub.get_current_instance().update_info('iter', 0)  # as in a run; BatchSyncRandomResize reads it
    losses = detector.train_step(batch, wrapper)
    assert torch.isfinite(losses['loss'])
    assert losses['loss'] > 0
    assert not torch.equal(weights, next(detector.bbox_head.parameters()))

    test = pipeline_of(config.test_dataloader.dataset)
    detector.eval()
    # Untrained scores lie below any sensible threshold; a lower one makes the prediction do its whole work.
    detector.bbox_head.test_cfg = dict(config.model.test_cfg, score_thr=1e-4)
    with torch.no_grad():
        (detection,) = detector.test_step(pseudo_collate([test(dict(sample))]))
    found = detection.pred_instances
    assert 0 < len(found) <= config.model.test_cfg.max_per_img
    assert torch.isfinite(found.bboxes).all()
    assert (found.bboxes[:, 2:] <= torch.tensor([320.0, 240.0]) + 1e-3).all()


@pytest.mark.parametrize('path', VARIANTS, ids=name_of)
def test_pipelines_and_network_have_one_input_size(path):
    config = load(path)
    size = config.model.input_size
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
    assert config.model.bbox_head.num_classes == len(metainfo['classes'])


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
