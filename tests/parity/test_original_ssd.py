"""Default boxes, matching, mining, loss and detections equal the authors' (original_ssd, written out in loops)."""

from types import SimpleNamespace

import golden
import numpy as np
import original_ssd
import pytest
import torch
from mmengine.structures import InstanceData

from ssd_plugin.models import SSDHead
from ssd_plugin.models.necks.ssd_neck import L2Norm
from ssd_plugin.models.task_modules import SSDAnchorGenerator

# Input, scales in percent (lowest, highest, of the first level), steps, maps, ratios.
RATIOS_300 = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
RATIOS_512 = [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]]
STEPS_300, MAPS_300 = (8, 16, 32, 64, 100, 300), (38, 19, 10, 5, 3, 1)
STEPS_512, MAPS_512 = (8, 16, 32, 64, 128, 256, 512), (64, 32, 16, 8, 4, 2, 1)
PUBLISHED = {
    '300 voc': (300, (20, 90, 10), STEPS_300, MAPS_300, RATIOS_300),
    '300 coco': (300, (15, 90, 7), STEPS_300, MAPS_300, RATIOS_300),
    '512 voc': (512, (15, 90, 7), STEPS_512, MAPS_512, RATIOS_512),
    '512 coco': (512, (10, 90, 4), STEPS_512, MAPS_512, RATIOS_512),
}
# A small network: 5x4, 3x2 and 1x1 cells on an input of 80x64, 120 boxes, of which many cross the border.
WIDTH, HEIGHT, CLASSES = 80, 64, 3
MAPS, STEPS = [(4, 5), (2, 3), (1, 1)], [16, 32, 80]
PAIRS, RATIOS = [(14, 25), (25, 40), (40, 60)], [[2], [2, 3], [2]]
SIDES = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])


@pytest.fixture(scope='module')
def priors():
    """Default boxes, shaken a little: of two of one shape an object inside both would leave the choice to rounding."""
    boxes = np.array(original_ssd.default_boxes(WIDTH, HEIGHT, MAPS, STEPS, PAIRS, RATIOS))
    return (boxes + np.random.default_rng(0).uniform(-0.02, 0.02, boxes.shape)).tolist()


def make_head(**assigner):
    generator = dict(
        type='ssd_plugin.SSDAnchorGenerator',
        strides=STEPS,
        min_sizes=[pair[0] for pair in PAIRS],
        max_sizes=[pair[1] for pair in PAIRS],
        ratios=RATIOS,
    )
    train_cfg = dict(
        assigner=dict(type='ssd_plugin.SSDAssigner', **assigner),
        sampler=dict(type='ssd_plugin.HardNegativeSampler'),
    )
    return SSDHead(CLASSES, in_channels=(4, 4, 4), anchor_generator=generator, train_cfg=train_cfg)


@pytest.fixture(scope='module', params=[False, True], ids=['all boxes', 'no boundary boxes'])
def head(request, priors):
    made = make_head(ignore_cross_boundary=request.param)
    shaken = torch.as_tensor(priors * SIDES, dtype=torch.float32)
    made.prior_generator = SimpleNamespace(grid_priors=lambda *_, **__: list(shaken.split([80, 36, 4])))
    return made


def random_image(random, objects, spread):
    """Logits (N, 1 + C) background first, deltas (N, 4), gt_bboxes as fractions and their classes 1..C."""
    count = sum(rows * columns * boxes for (rows, columns), boxes in zip(MAPS, (4, 6, 4)))
    logits = random.normal(0, spread, (count, 1 + CLASSES))
    logits[:, 0] += 2
    # Crowded around a few places, so that objects want the same boxes.
    centres = random.choice([0.3, 0.4, 0.65], (objects, 2)) + random.uniform(-0.05, 0.05, (objects, 2))
    sizes = random.uniform(0.1, 0.75, (objects, 2))
    gt_bboxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], 1)
    return (
        logits,
        random.normal(0, 1.5, (count, 4)),
        gt_bboxes.tolist(),
        random.integers(1, 1 + CLASSES, objects).tolist(),
    )


def maps_of(values):
    """(B, N, K) numbers in the order of the default boxes, as the head puts them out: per level (B, A * K, h, w)."""
    values = torch.as_tensor(np.stack(values), dtype=torch.float32)
    levels, offset = [], 0
    for (rows, columns), boxes in zip(MAPS, (4, 6, 4)):
        count = rows * columns * boxes
        level = values[:, offset : offset + count].reshape(len(values), rows, columns, -1)
        levels.append(level.permute(0, 3, 1, 2))
        offset += count
    return levels


def background_last(logits):
    return np.roll(logits, -1, axis=1)


def instances(gt_bboxes, classes):
    boxes = torch.as_tensor(np.array(gt_bboxes).reshape(-1, 4) * SIDES, dtype=torch.float32)
    return InstanceData(bboxes=boxes, labels=torch.tensor(classes, dtype=torch.int64) - 1)


def metas(count):
    return [dict(img_shape=(HEIGHT, WIDTH), scale_factor=(1.0, 1.0))] * count


@pytest.mark.parametrize('name', PUBLISHED)
def test_default_boxes_of_the_published_sets(name):
    dim, (low, high, first), steps, maps, ratios = PUBLISHED[name]
    sizes = [(side, side) for side in maps]
    pairs = original_ssd.size_pairs(dim, low, high, first, len(maps))
    expected = np.array(original_ssd.default_boxes(dim, dim, sizes, steps, pairs, ratios)) * dim
    generator = SSDAnchorGenerator(steps, basesize_ratio_range=(low / 100, high / 100), input_size=dim)
    found = torch.cat(generator.grid_priors(sizes, device='cpu')).numpy()
    assert len(found) == {300: 8732, 512: 24564}[dim]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_default_boxes_of_a_rectangle():
    found = torch.cat(make_head().prior_generator.grid_priors(MAPS, device='cpu'))
    expected = original_ssd.default_boxes(WIDTH, HEIGHT, MAPS, STEPS, PAIRS, RATIOS)
    np.testing.assert_allclose(found.numpy() / SIDES, expected, rtol=0, atol=1e-6)


def batch_of(seed, spread=1.5):
    random = np.random.default_rng(seed)
    return [random_image(random, objects, spread) for objects in random.permutation([0, 1, 3, 9])]


@pytest.mark.parametrize('seed', range(20))
def test_matching(head, priors, seed):
    images = batch_of(seed)
    gt_bboxes = [instances(*image[2:]).bboxes for image in images]
    boxes = torch.cat(head.prior_generator.grid_priors())
    ignore_cross_boundary = head.assigner.ignore_cross_boundary
    found = golden.assign(boxes, gt_bboxes, (WIDTH, HEIGHT), ignore_cross_boundary).tolist()
    for (_, _, objects, _), assigned_gt_inds in zip(images, found):
        assert assigned_gt_inds == original_ssd.match(priors, objects, ignore_cross_boundary)


@pytest.mark.parametrize('seed', range(10))
def test_losses_and_what_is_mined(head, priors, seed):
    images = batch_of(seed)
    expected_confidence, expected_location, chosen = original_ssd.multibox_loss(
        priors, images, head.assigner.ignore_cross_boundary
    )
    scores = [level.requires_grad_() for level in maps_of([background_last(image[0]) for image in images])]
    deltas = maps_of([image[1] for image in images])
    gt_instances = [instances(*image[2:]) for image in images]
    losses = head.loss_by_feat(scores, deltas, gt_instances, metas(len(images)))
    assert losses['loss_cls'].item() == pytest.approx(expected_confidence, rel=1e-5)
    assert losses['loss_bbox'].item() == pytest.approx(expected_location, rel=1e-5)
    # A box in the loss, positive or mined, is one that gets a gradient.
    losses['loss_cls'].backward()
    taught = [level.grad.permute(0, 2, 3, 1).reshape(len(images), -1, 1 + CLASSES) for level in scores]
    found = torch.cat(taught, 1).abs().sum(2) > 0
    assert [row.nonzero()[:, 0].tolist() for row in found] == chosen


def test_normaliser_is_one_without_objects(head, priors):
    images = [random_image(np.random.default_rng(0), 0, 1)] * 2
    assert original_ssd.multibox_loss(priors, images)[:2] == (0, 0)
    losses = head.loss_by_feat(
        maps_of([image[0] for image in images]),
        maps_of([image[1] for image in images]),
        [instances([], [])] * 2,
        metas(2),
    )
    assert (losses['loss_cls'].item(), losses['loss_bbox'].item()) == (0, 0)


@pytest.mark.parametrize(('spread', 'keep_top_k'), [(1, 200), (3, 200), (3, 20)])
@pytest.mark.parametrize('seed', range(3))
def test_detections(head, priors, seed, spread, keep_top_k):
    images = batch_of(seed, spread)
    found = head.predict_by_feat(
        maps_of([background_last(image[0]) for image in images]),
        maps_of([image[1] for image in images]),
        batch_img_metas=metas(len(images)),
        cfg=dict(
            score_thr=0.01, nms_pre_per_class=40, nms=dict(type='nms', iou_threshold=0.45), max_per_img=keep_top_k
        ),
    )
    for (logits, deltas, _, _), detected in zip(images, found):
        expected = original_ssd.detections(priors, logits, deltas, top_k=40, keep_top_k=keep_top_k)
        assert detected.labels.tolist() == [label - 1 for label, _, _ in expected]
        np.testing.assert_allclose(detected.scores.numpy(), [score for _, score, _ in expected], rtol=1e-5)
        boxes = np.array([box for _, _, box in expected]) * SIDES
        np.testing.assert_allclose(detected.bboxes.numpy(), boxes, rtol=0, atol=1e-3)


def test_normalisation_of_the_first_map():
    random = np.random.default_rng(0)
    values, scales = random.normal(0, 3, (4, 2, 3)), random.uniform(10, 30, 4)
    layer = L2Norm(4)
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(scales))
        found = layer(torch.as_tensor(values[None], dtype=torch.float32))[0]
    np.testing.assert_allclose(found.numpy(), original_ssd.normalize(values, scales), rtol=1e-5)
