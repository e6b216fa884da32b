"""What the configs train on, and from, is the authors': difficult objects, crowds, and initial weights."""

import json
from pathlib import Path

import numpy as np
import original_ssd
import pytest
import torch
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import DATASETS, MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from PIL import Image
from torch import nn

from ssd_plugin.models.backbones import ssd_vgg

CONFIGS = Path(__file__).parents[2] / 'configs' / 'ssd'
# One class, one level of 2x2 cells on the configs' input of 300x300.
MAPS, STEPS, PAIRS, RATIOS = [(2, 2)], [150], [(100, 180)], [[2]]
# In pixels of an original image of 100x200; the second one is difficult, or a crowd.
OBJECTS = [(10, 20, 60, 120), (40, 90, 95, 190)]


def load(name):
    register_all_modules()
    return Config.fromfile(CONFIGS / name)


def still(pipeline):
    """The pipeline of a config, with an augmentation that only resizes."""
    nothing = dict(distort=False, expand_prob=0, crop=False, random_interpolation=False, flip_prob=0)
    return [dict(step, **nothing) if step.type == 'ssd_plugin.SSDAugment' else step for step in pipeline]


@pytest.fixture
def original_image(tmp_path):
    for folder in ('JPEGImages', 'Annotations'):
        (tmp_path / folder).mkdir()
    Image.new('RGB', (100, 200)).save(tmp_path / 'JPEGImages' / 'a.jpg')
    return tmp_path


@pytest.fixture
def voc(original_image):
    found = ''.join(
        f'<object><name>person</name><difficult>{number}</difficult><bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin>'
        f'<xmax>{x2 + 1}</xmax><ymax>{y2 + 1}</ymax></bndbox></object>'
        for number, (x1, y1, x2, y2) in enumerate(OBJECTS)
    )
    size = '<size><width>100</width><height>200</height></size>'
    (original_image / 'Annotations' / 'a.xml').write_text(f'<annotation>{size}{found}</annotation>')
    (original_image / 'list.txt').write_text('a\n')
    (config,) = load('ssd300_vgg16_voc07.py').train_dataloader.dataset.datasets
    place = dict(data_root=str(original_image), ann_file='list.txt', data_prefix=dict(sub_data_root=''))
    return DATASETS.build(dict(config, metainfo=dict(classes=('person',)), pipeline=still(config.pipeline), **place))


@pytest.fixture
def coco(original_image):
    found = [
        dict(
            id=number + 1,
            image_id=1,
            category_id=1,
            bbox=[x1, y1, x2 - x1, y2 - y1],
            area=(x2 - x1) * (y2 - y1),
            iscrowd=number,
        )
        for number, (x1, y1, x2, y2) in enumerate(OBJECTS)
    ]
    images = [dict(id=1, file_name='a.jpg', width=100, height=200)]
    content = dict(images=images, annotations=found, categories=[dict(id=1, name='person')])
    (original_image / 'a.json').write_text(json.dumps(content))
    config = load('ssd300_vgg16_coco.py').train_dataloader.dataset
    place = dict(data_root=str(original_image), ann_file='a.json', data_prefix=dict(img='JPEGImages'))
    return DATASETS.build(dict(config, metainfo=dict(classes=('person',)), pipeline=still(config.pipeline), **place))


@pytest.mark.parametrize(('name', 'trained_on'), [('voc', OBJECTS), ('coco', OBJECTS[:1])])
def test_difficult_objects_are_positives_and_crowds_are_background(name, trained_on, request):
    sample = request.getfixturevalue(name)[0]['data_samples']
    generator = dict(
        type='ssd_plugin.SSDAnchorGenerator', strides=STEPS, min_sizes=[100], max_sizes=[180], ratios=RATIOS
    )
    model = load('ssd300_vgg16_voc07.py').model
    small = dict(num_classes=1, in_channels=(4,), anchor_generator=generator, train_cfg=model.train_cfg)
    head = MODELS.build(dict(model.bbox_head, **small))
    random = np.random.default_rng(0)
    logits, deltas = random.normal(0, 2, (16, 2)), random.normal(0, 1, (16, 4))

    def level(values):
        return torch.as_tensor(values, dtype=torch.float32).reshape(1, 2, 2, -1).permute(0, 3, 1, 2)

    gt_bboxes = [np.divide(box, (100, 200, 100, 200)).tolist() for box in trained_on]
    priors = original_ssd.default_boxes(300, 300, MAPS, STEPS, PAIRS, RATIOS)
    expected = original_ssd.multibox_loss(priors, [(logits, deltas, gt_bboxes, [1] * len(gt_bboxes))])
    losses = head.loss_by_feat([level(logits[:, ::-1].copy())], [level(deltas)], *in_loss_order(sample))
    assert losses['loss_cls'].item() == pytest.approx(expected[0], rel=1e-4)
    assert losses['loss_bbox'].item() == pytest.approx(expected[1], rel=1e-4)


def in_loss_order(sample):
    gt_instances, ignored, metas = unpack_gt_instances([sample])
    return gt_instances, metas, ignored


def test_dropped_objects_still_steer_the_crop(coco):
    sample = coco[0]['data_samples']
    assert (len(sample.gt_instances), len(sample.ignored_instances)) == (1, 1)


def test_images_without_objects_are_trained_on(original_image):
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=100, height=200)],
        annotations=[],
        categories=[dict(id=1, name='person')],
    )
    (original_image / 'a.json').write_text(json.dumps(content))
    config = load('ssd300_vgg16_coco.py').train_dataloader.dataset
    place = dict(data_root=str(original_image), ann_file='a.json', data_prefix=dict(img='JPEGImages'))
    dataset = DATASETS.build(dict(config, metainfo=dict(classes=('person',)), **place))
    assert len(dataset) == 1


def test_new_layers_start_as_caffes_xavier_and_biases_at_zero(monkeypatch):
    monkeypatch.setattr(ssd_vgg, 'BLOCK_CHANNELS', (8, 16, 32, 64, 64))
    model = load('ssd300_vgg16_voc0712.py').model
    model.backbone.init_cfg = None
    torch.manual_seed(0)
    detector = MODELS.build(model)
    detector.init_weights()
    for part in (detector.neck, detector.bbox_head):
        convolutions = [layer for layer in part.modules() if isinstance(layer, nn.Conv2d)]
        assert len(convolutions) in (8, 12)
        for layer in convolutions:
            _, channels, height, width = layer.weight.shape
            bound = (3 / (channels * height * width)) ** 0.5
            assert layer.weight.abs().max() <= bound
            # The mean square of a uniform distribution is a third of the squared bound: 1 / fan-in.
            assert layer.weight.square().mean().item() == pytest.approx(bound**2 / 3, rel=0.03)
            assert layer.bias.abs().max() == 0
    assert detector.neck.l2_norm.weight.unique().tolist() == [20]
