"""Our parts put into mmdet's own SSD configs give mmdet's features, default boxes, losses and detections."""

import copy
import math
from pathlib import Path

import mmdet
import pytest
import torch
from mmcv.ops import nms
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import nn

MMDET_CONFIGS = Path(mmdet.__file__).parent / '.mim' / 'configs'
CONFIGS = {
    'ssd/ssd300_coco.py': 300,
    'ssd/ssd512_coco.py': 512,
    'pascal_voc/ssd300_voc0712.py': 300,
    'pascal_voc/ssd512_voc0712.py': 512,
    'ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py': 320,
}
# The VGG configs share their trunk (see the first test): its features are compared for one of them.
TRUNKS = ('ssd/ssd300_coco.py', 'ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py')
OURS = ('SSDVGG', 'SSDNeck', 'SSDHead', 'SSDAnchorGenerator')


def prefixed(config):
    """The config with `ssd_plugin.` in front of every type that we have."""
    if isinstance(config, dict):
        return {
            key: f'ssd_plugin.{value}' if key == 'type' and value in OURS else prefixed(value)
            for key, value in config.items()
        }
    return config


def sample(size, classes, objects, generator):
    data = DetDataSample(
        metainfo=dict(
            img_shape=(size, size), pad_shape=(size, size), ori_shape=(480, 640), scale_factor=(size / 640, size / 480)
        )
    )
    # No truth lies wholly inside a small default box: all boxes of one shape around it would tie, and rounding decide.
    corner = torch.rand((objects, 2), generator=generator) * size * 0.6
    extent = torch.rand((objects, 2), generator=generator) * size * 0.2 + size * 0.15
    data.gt_instances = InstanceData(
        bboxes=torch.cat([corner, corner + extent], 1),
        labels=torch.randint(classes, (objects,), generator=generator),
    )
    return data


def config_of(name):
    register_all_modules()
    model = Config.fromfile(MMDET_CONFIGS / name).model
    model.backbone.init_cfg = None
    return model


@pytest.fixture(scope='module', params=CONFIGS, ids=lambda name: Path(name).stem)
def pair(request):
    """Input size, mmdet's detector and ours with the same weights."""
    model = config_of(request.param)
    torch.manual_seed(0)
    theirs = MODELS.build(copy.deepcopy(model))
    ours = MODELS.build(prefixed(model.to_dict()))
    # mmdet's SSDHead reads this attribute at every prediction and never sets it.
    theirs.bbox_head.loss_cls = nn.Identity()
    if hasattr(theirs.neck, 'l2_norm'):
        nn.init.constant_(theirs.neck.l2_norm.weight, 20)  # uninitialised memory until mmdet's init_weights
    ours.load_state_dict(theirs.state_dict())  # strict: the keys are the same
    return CONFIGS[request.param], theirs.eval(), ours.eval()


def map_sizes(detector, size):
    """(h, w) of the published levels."""
    strides = [stride[0] for stride in detector.bbox_head.prior_generator.strides]
    return [(math.ceil(size / stride),) * 2 for stride in strides]


def raw_outputs(detector, size, seed, images):
    """Random outputs of the head: per level class logits and box deltas."""
    generator = torch.Generator().manual_seed(seed)
    head = detector.bbox_head
    scores, boxes = [], []
    for (height, width), priors in zip(map_sizes(detector, size), head.num_base_priors):
        logits = torch.randn((images, priors, head.num_classes + 1, height, width), generator=generator) * 2
        logits[:, :, -1] += 6  # most boxes are background
        scores.append(logits.flatten(1, 2))
        boxes.append(torch.randn((images, priors * 4, height, width), generator=generator))
    return scores, boxes


def targets(size, classes, counts, seed):
    generator = torch.Generator().manual_seed(seed)
    return [sample(size, classes, objects, generator) for objects in counts]


@pytest.mark.parametrize('name', CONFIGS)
def test_trunk_is_one_of_those_compared(name):
    assert config_of(name).backbone in [config_of(trunk).backbone for trunk in TRUNKS]


@pytest.mark.parametrize('name', TRUNKS)
def test_features_of_the_trunk_are_equal(name):
    config = config_of(name).backbone
    torch.manual_seed(0)
    theirs, ours = MODELS.build(copy.deepcopy(config)), MODELS.build(prefixed(config.to_dict()))
    ours.load_state_dict(theirs.state_dict())
    theirs.eval()
    ours.eval()
    images = torch.randn((1, 3, CONFIGS[name], CONFIGS[name])) * 50
    with torch.no_grad():
        for a, b in zip(ours(images), theirs(images)):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_raw_outputs_are_equal(pair):
    size, theirs, ours = pair
    generator = torch.Generator().manual_seed(0)
    sizes = map_sizes(theirs, size)
    widths = theirs.bbox_head.in_channels
    mapped = [torch.randn((1, width, *side), generator=generator) for width, side in zip(widths[:2], sizes)]
    with torch.no_grad():
        expected, found = theirs.neck([level.clone() for level in mapped]), ours.neck(mapped)
        assert [level.shape for level in found] == [(1, width, *side) for width, side in zip(widths, sizes)]
        for a, b in zip(found, expected):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
        for a, b in zip(sum(ours.bbox_head(found), []), sum(theirs.bbox_head(expected), [])):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_default_boxes_are_equal(pair):
    size, theirs, ours = pair
    sizes = map_sizes(theirs, size)
    expected = theirs.bbox_head.prior_generator.grid_priors(sizes, device='cpu')
    found = ours.bbox_head.prior_generator.grid_priors(sizes, device='cpu')
    for a, b in zip(found, expected):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-4)


@pytest.mark.parametrize('counts', [(5, 0, 40), (1,)])
def test_losses_are_equal(pair, counts):
    size, theirs, ours = pair
    samples = targets(size, theirs.bbox_head.num_classes, counts, seed=1)
    truths = [data.gt_instances for data in samples]
    metas = [data.metainfo for data in samples]
    outputs = raw_outputs(theirs, size, seed=2, images=len(counts))
    expected = theirs.bbox_head.loss_by_feat(*outputs, truths, metas)
    found = ours.bbox_head.loss_by_feat(*outputs, truths, metas)
    for name in ('loss_cls', 'loss_bbox'):
        torch.testing.assert_close(found[name], sum(expected[name]).squeeze(), rtol=1e-4, atol=1e-5)


def exact_batched_nms(boxes, scores, labels, cfg):
    """Class by class. mmcv moves the classes apart by large offsets first, which rounds small boxes in float32."""
    keep = torch.cat(
        [
            index[nms(boxes[index], scores[index], cfg['iou_threshold'])[1]]
            for index in ((labels == label).nonzero()[:, 0] for label in labels.unique())
        ]
    )
    keep = keep[scores[keep].argsort(descending=True)]
    return torch.cat([boxes[keep], scores[keep, None]], 1), keep


def test_detections_are_equal(pair, monkeypatch):
    monkeypatch.setattr('mmdet.models.dense_heads.base_dense_head.batched_nms', exact_batched_nms)
    size, theirs, ours = pair
    metas = [data.metainfo for data in targets(size, 20, (1, 1), seed=3)]
    outputs = raw_outputs(theirs, size, seed=4, images=2)
    # One config in pixels of the network's input, the others in those of the original image.
    rescale = size != 320
    expected = theirs.bbox_head.predict_by_feat(*outputs, batch_img_metas=metas, rescale=rescale)
    found = ours.bbox_head.predict_by_feat(*outputs, batch_img_metas=metas, rescale=rescale)
    for theirs_image, ours_image in zip(expected, found):
        assert len(theirs_image) == 200
        torch.testing.assert_close(ours_image.scores, theirs_image.scores, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(ours_image.bboxes, theirs_image.bboxes, rtol=1e-4, atol=1e-2)
        assert torch.equal(ours_image.labels, theirs_image.labels)
