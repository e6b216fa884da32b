import math

import numpy as np
import pytest
import torch
from drawn_boxes import boxes as drawn
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mmengine.structures import InstanceData

from ssd_plugin.models import MultiBoxLoss

MINING = dict(type='ssd_plugin.HardNegativeSampler')
# Five boxes of 10x10 side by side; the object lies on the first one.
META = dict(img_shape=(10, 50))
BOX = [0, 0, 10, 10]
# Logarithms of probabilities: two classes, background last. -log of the background's: the hardest are 2, 4 and 3.
PROBABILITIES = [[0.2, 0.5, 0.3], [0.05, 0.05, 0.9], [0.5, 0.4, 0.1], [0.25, 0.25, 0.5], [0.7, 0.05, 0.25]]
LOGITS = torch.tensor(PROBABILITIES).log()
DELTAS = torch.tensor([[0.5, 0.0, 0.0, -2.0], [9.0] * 4, [9.0] * 4, [9.0] * 4, [9.0] * 4])
CLS = math.log(2) + math.log(10) + math.log(2) + math.log(4)
BBOX = 0.5 * 0.5**2 + (2 - 0.5)


def setting(**loss):
    return dict(sampler=MINING, loss=dict(type='ssd_plugin.MultiBoxLoss', **loss))


def losses(head, raw_map, images, logits=LOGITS, deltas=DELTAS, ignored=None):
    batch = len(images)
    scores, boxes = raw_map(logits.expand(batch, -1, -1)), raw_map(deltas.expand(batch, -1, -1))
    found = head.loss_by_feat([scores], [boxes], images, [META] * batch, ignored)
    sum(found.values()).backward()
    return found['loss_cls'].item(), found['loss_bbox'].item(), scores.grad, boxes.grad


def test_loss_by_hand(strip_head, raw_map, objects):
    cls, bbox, cls_grad, bbox_grad = losses(strip_head(), raw_map, [objects([BOX], [1])])
    assert (cls, bbox) == (pytest.approx(CLS), pytest.approx(BBOX))
    # Softmax minus the one-hot target for the kept boxes, nothing for the easy negative.
    expected = torch.tensor(PROBABILITIES) - torch.eye(3)[[1, 2, 2, 2, 2]]
    expected[1] = 0
    torch.testing.assert_close(cls_grad[0, :, 0].T, expected)
    torch.testing.assert_close(bbox_grad[0, :, 0].T, torch.tensor([[0.5, 0, 0, -1]] + [[0.0, 0, 0, 0]] * 4))


def test_levels_are_mined_together(strip_head, raw_map, objects):
    # The same numbers in two levels of one row, the second of its boxes at the places of the first's.
    scores = [raw_map(LOGITS[None, :2]), raw_map(LOGITS[None, 2:])]
    boxes = [raw_map(DELTAS[None, :2]), raw_map(DELTAS[None, 2:])]
    found = strip_head(levels=2).loss_by_feat(scores, boxes, [objects([[0, 0, 10, 9]], [1])], [META])
    # Boxes 0 and 2 lie on the object (IoU 0.9): 2 positives, the other three are their negatives.
    expected = math.log(2) - math.log(0.9) + -math.log(0.4) + math.log(2) + math.log(4)
    assert found['loss_cls'].item() == pytest.approx(expected / 2)
    sum(found.values()).backward()
    assert all(level.grad.abs().sum() > 0 for level in scores + boxes)


def test_divided_by_the_positives_of_the_batch(strip_head, raw_map, objects):
    images = [objects([BOX], [1]), objects(), objects([BOX], [1])]
    cls, bbox, cls_grad, _ = losses(strip_head(), raw_map, images)
    assert (cls, bbox) == (pytest.approx(CLS), pytest.approx(BBOX))
    assert cls_grad[1].abs().sum() == 0
    cls, bbox, *_ = losses(strip_head(train_cfg=setting(floor_per_image=True)), raw_map, images)
    assert (cls, bbox) == (pytest.approx(CLS * 2 / 3), pytest.approx(BBOX * 2 / 3))


@pytest.mark.parametrize('images', [1, 3])
def test_nothing_to_learn(strip_head, raw_map, objects, images):
    cls, bbox, cls_grad, bbox_grad = losses(strip_head(), raw_map, [objects()] * images)
    assert (cls, bbox) == (0, 0)
    assert cls_grad.abs().sum() == 0
    assert bbox_grad.abs().sum() == 0


def test_min_negatives_teach_without_objects(strip_head, raw_map, objects):
    sampler = dict(type='ssd_plugin.HardNegativeSampler', min_negatives=1)
    cls, bbox, *_ = losses(strip_head(train_cfg={**setting(), 'sampler': sampler}), raw_map, [objects()])
    assert (cls, bbox) == (pytest.approx(math.log(10)), 0)


def test_ignored_boxes_add_nothing(strip_head, raw_map, objects):
    head = strip_head(train_cfg=dict(assigner=dict(type='ssd_plugin.SSDAssigner', ignore_iof_thr=0.5), sampler=MINING))
    # The third box, the hardest negative, lies in the region; the second becomes the third negative.
    cls, _, cls_grad, _ = losses(head, raw_map, [objects([BOX], [1])], ignored=[objects([[20, 0, 30, 10]], [0])])
    assert cls == pytest.approx(math.log(2) - math.log(0.9) + math.log(2) + math.log(4))
    assert cls_grad[0, :, 0, 2].tolist() == [0, 0, 0]


def test_alpha_and_beta(strip_head, raw_map, objects):
    head = strip_head(train_cfg=setting(alpha=2), loss_bbox=dict(type='SmoothL1Loss', beta=0.25))
    cls, bbox, *_ = losses(head, raw_map, [objects([BOX], [1])])
    assert (cls, bbox) == (pytest.approx(CLS), pytest.approx(2 * (0.5 - 0.125 + 2 - 0.125)))


def test_infinite_output_of_an_unmatched_box_is_harmless(strip_head, raw_map, objects):
    deltas = DELTAS.clone()
    deltas[4] = torch.inf
    _, bbox, _, bbox_grad = losses(strip_head(), raw_map, [objects([BOX], [1])], deltas=deltas)
    assert bbox == pytest.approx(BBOX)
    assert bbox_grad.isfinite().all()


def test_large_logits(strip_head, raw_map, objects):
    cls, _, cls_grad, _ = losses(strip_head(), raw_map, [objects([BOX], [1])], logits=LOGITS * 1000)
    assert math.isfinite(cls)
    assert cls_grad.isfinite().all()


HUGE = st.one_of(st.floats(-10, 10, width=32), st.sampled_from([-1e30, -1e4, -1e-45, 0.0, 1e4, 1e30]))
LEARNERS = {
    'mined': setting(),
    'images without objects teach': dict(sampler=dict(type='ssd_plugin.HardNegativeSampler', min_negatives=2)),
    'all': dict(sampler=None),
}


@pytest.mark.parametrize('learner', LEARNERS)
@given(data=st.data(), gt_bboxes=st.lists(drawn(max_count=4, flat=True), min_size=1, max_size=3))
def test_loss_and_gradient_are_finite_whatever_is_predicted_and_annotated(strip_head, learner, data, gt_bboxes):
    batch = len(gt_bboxes)
    maps = [
        torch.tensor(data.draw(arrays(np.float32, (batch, size, 1, 5), elements=HUGE))).requires_grad_()
        for size in (3, 4)
    ]
    unusable = torch.tensor([[0, 0, torch.nan, 10], [-torch.inf, 0, 10, 10], [9, 9, 3, 3]])
    images = [
        InstanceData(
            bboxes=torch.cat([torch.tensor(one), unusable]), labels=torch.zeros(len(one) + 3, dtype=torch.int64)
        )
        for one in gt_bboxes
    ]
    head = strip_head(
        train_cfg=dict(assigner=dict(type='ssd_plugin.SSDAssigner', pos_iou_thr=0.1), **LEARNERS[learner])
    )
    found = head.loss_by_feat(maps[:1], maps[1:], images, [META] * batch)
    sum(found.values()).backward()
    assert all(value.isfinite() and value >= 0 for value in found.values())
    assert all(level.grad.isfinite().all() for level in maps)


def test_decoded_boxes_are_compared_on_request(strip_head, raw_map, objects):
    deltas = torch.zeros(5, 4)
    deltas[0, 0] = 1  # 0.1 of the width of 10: one pixel to the right
    _, bbox, *_ = losses(strip_head(reg_decoded_bbox=True), raw_map, [objects([BOX], [1])], deltas=deltas)
    assert bbox == pytest.approx(2 * 0.5)  # x1 and x2, each off by 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_nothing_waits_for_the_device(strip_head, objects):
    head = strip_head().cuda()
    on_cpu = [LOGITS.T[None, :, None].contiguous(), DELTAS.T[None, :, None].contiguous()]
    images = [objects([BOX, [20, 0, 30, 10]], [1, 0]).to('cuda')]
    scores, boxes = (values.cuda().requires_grad_() for values in on_cpu)
    head.loss_by_feat([scores], [boxes], images, [META])  # fills the cache of default boxes
    torch.cuda.set_sync_debug_mode('error')
    try:
        found = head.loss_by_feat([scores], [boxes], images, [META])
        sum(found.values()).backward()
    finally:
        torch.cuda.set_sync_debug_mode('default')
    expected = strip_head().loss_by_feat([on_cpu[0]], [on_cpu[1]], [objects([BOX, [20, 0, 30, 10]], [1, 0])], [META])
    for name, value in expected.items():
        torch.testing.assert_close(found[name].cpu(), value)


def test_defaults():
    loss = MultiBoxLoss()
    assert (loss.alpha, loss.loss_bbox.beta, loss.floor_per_image) == (1.0, 1.0, False)
    assert not loss.use_sigmoid
    assert not loss.compares_boxes
    assert not loss.needs_quality
