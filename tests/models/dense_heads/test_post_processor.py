"""Detections against the authors' rule (and mmdet's choice of candidates), written out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strip_detections import AUTHORS, META, confident, run

from ssd_plugin.errors import UserError
from ssd_plugin.mmcv_ops import has_compiled_ops
from ssd_plugin.models.dense_heads.post_processor import MANY_PAIRS, SSDPostProcessor


def overlap(a, b):
    size = (torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])).clamp(min=0)
    shared = size.prod()
    return shared / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared)


def literal(logits, boxes, cfg, level_of):
    """(box index, label, score) of one image's detections, best first."""
    scores = logits.softmax(-1)
    pairs = [
        (-scores[box, label].item(), box, label)
        for box in range(len(boxes))
        for label in range(scores.shape[1] - 1)
        if scores[box, label] > cfg['score_thr']
    ]
    limit = cfg.get('nms_pre', cfg.get('nms_pre_per_class', 400))
    chosen, taken = [], {}
    for pair in sorted(pairs):
        group = level_of[pair[1]] if 'nms_pre' in cfg else pair[2]
        taken[group] = taken.get(group, 0) + 1
        if limit <= 0 or taken[group] <= limit:
            chosen.append(pair)
    kept = []
    for pair in chosen:
        rivals = [other for other in kept if other[2] == pair[2]]
        if all(overlap(boxes[pair[1]], boxes[other[1]]) <= cfg['nms']['iou_threshold'] for other in rivals):
            kept.append(pair)
    return kept[: cfg['max_per_img']]


def test_detections_by_hand(strip_head, raw_map):
    logits = confident((0.7, 0.2, 0.005), (0.009, 0.6, 0.3), (0.001, 0.002, 0.003))
    deltas = torch.zeros(1, 3, 4)
    deltas[0, 1, 0] = -9.0  # 9 px to the left: nearly the first box
    found = run(strip_head(3), AUTHORS, logits, deltas, raw_map)[0]
    assert found.labels.tolist() == [0, 1, 2]  # the first box's class 1 falls to the second's
    torch.testing.assert_close(found.scores, torch.tensor([0.7, 0.6, 0.3]))
    torch.testing.assert_close(found.bboxes, torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10]]))


def test_score_must_exceed_the_threshold(strip_head, raw_map):
    logits = torch.zeros(1, 1, 4)  # each probability is exactly a quarter
    assert len(run(strip_head(3), {**AUTHORS, 'score_thr': 0.25}, logits, torch.zeros(1, 1, 4), raw_map)[0]) == 0
    assert len(run(strip_head(3), {**AUTHORS, 'score_thr': 0.2499}, logits, torch.zeros(1, 1, 4), raw_map)[0]) == 3


def test_boxes_are_clipped_last(strip_head, raw_map):
    # Clipped, both boxes would be the same; as decoded, they overlap by a third.
    deltas = torch.zeros(1, 2, 4)
    deltas[0, 0, 0], deltas[0, 1, 0] = -7.5, -7.5 - 10 - 5.0
    logits = confident((0.9, 0, 0), (0.8, 0, 0))
    found = run(strip_head(3), AUTHORS, logits, deltas, raw_map)[0]
    torch.testing.assert_close(found.bboxes, torch.tensor([[0, 0, 2.5, 10], [0, 0, 0, 0 + 10]]), atol=1e-5, rtol=0)


def test_rescaled_by_axis(strip_head, raw_map):
    logits = confident((0.9, 0, 0))
    found = run(strip_head(3), AUTHORS, logits, torch.zeros(1, 1, 4), raw_map, rescale=True)[0]
    assert found.bboxes.tolist() == [[0, 0, 20, 5]]


@pytest.mark.parametrize('limit', ['nms_pre', 'nms_pre_per_class'])
def test_candidates_without_suppression(strip_head, raw_map, limit):
    logits = confident((0.5, 0.4, 0), (0.6, 0.3, 0), (0.2, 0.7, 0))
    cfg = dict(score_thr=0.01, max_per_img=1, **{limit: 2})
    found = run(strip_head(3), cfg, logits, torch.zeros(1, 3, 4), raw_map, with_nms=False)[0]
    pairs = {'nms_pre': ([1, 0], [0.7, 0.6]), 'nms_pre_per_class': ([1, 0, 0, 1], [0.7, 0.6, 0.5, 0.4])}
    assert found.labels.tolist() == pairs[limit][0]
    torch.testing.assert_close(found.scores, torch.tensor(pairs[limit][1]))


def test_quota_is_of_each_image(strip_head, raw_map):
    logits = confident((0.5, 0, 0), (0.7, 0, 0), (0.6, 0, 0)).expand(2, -1, -1).clone()
    logits[1, 1] = logits[0, 0] - 9
    found = run(strip_head(3), {**AUTHORS, 'max_per_img': 2}, logits, torch.zeros(2, 3, 4), raw_map)
    expected = [logits[0].softmax(1)[[1, 2], 0], logits[1].softmax(1)[:, 0].sort(descending=True).values[:2]]
    for image, scores in zip(found, expected):
        torch.testing.assert_close(image.scores, scores)
    assert len(run(strip_head(3), {**AUTHORS, 'max_per_img': -1}, logits, torch.zeros(2, 3, 4), raw_map)[0]) == 3


def test_small_boxes_are_dropped(strip_head, raw_map):
    deltas = torch.zeros(1, 2, 4)
    deltas[0, 0, 2] = -5.0  # e^-1 as wide
    logits = confident((0.9, 0, 0), (0.8, 0, 0))
    found = run(strip_head(3), {**AUTHORS, 'min_bbox_size': 4}, logits, deltas, raw_map)[0]
    torch.testing.assert_close(found.scores, torch.tensor([0.8]))


@pytest.mark.parametrize('threshold', [0.01, -1.0])
def test_nothing_found_and_everything_found(strip_head, raw_map, threshold):
    logits = torch.tensor([-30.0, -30, -30, 30]).expand(2, 11, 4)
    found = run(strip_head(3), {**AUTHORS, 'score_thr': threshold}, logits, torch.zeros(2, 11, 4), raw_map)
    assert [len(image) for image in found] == ([0, 0] if threshold > 0 else [33, 33])
    assert found[0].bboxes.shape == (len(found[0]), 4)


def test_batch_equals_its_images(strip_head, raw_map):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((3, 11, 4), generator=generator) * 3
    logits[1, :, :3] -= 40  # nothing found in the middle
    deltas = torch.randn((3, 11, 4), generator=generator) * 3
    head = strip_head(3)
    together = run(head, AUTHORS, logits, deltas, raw_map)
    assert [len(image) > 0 for image in together] == [True, False, True]
    for image, found in enumerate(together):
        alone = run(head, AUTHORS, logits[image : image + 1], deltas[image : image + 1], raw_map)[0]
        for name in ('bboxes', 'scores', 'labels'):
            assert torch.equal(found[name], alone[name])


@pytest.mark.parametrize('limit', [dict(nms_pre=7), dict(nms_pre_per_class=5), dict(nms_pre_per_class=400)])
@settings(max_examples=settings.default.max_examples // 4)
@given(seed=st.integers(0, 2**31), steps=st.sampled_from([1, 8, 10**6]), most=st.sampled_from([3, 20, 200]))
def test_equals_the_literal_rule(strip_head, limit, seed, steps, most):
    generator = torch.Generator().manual_seed(seed)
    head = strip_head(3, levels=2)
    cfg = {**AUTHORS, **limit, 'max_per_img': most, 'score_thr': 0.1}
    cfg = {key: value for key, value in cfg.items() if key != 'nms_pre_per_class' or 'nms_pre' not in limit}
    # Few steps make many equal scores, one step makes all equal.
    logits = torch.randint(0, steps, (2, 20, 4), generator=generator) / max(1, steps - 1) * 4
    deltas = torch.randn((2, 20, 4), generator=generator) * 4
    maps = [[part.transpose(1, 2)[:, :, None] for part in values.split([12, 8], 1)] for values in (logits, deltas)]
    found = head.predict_by_feat(*maps, None, [META] * 2, cfg)
    priors = head.priors(maps[0])
    for image in range(2):
        boxes = head.bbox_coder.decode(priors, deltas[image])
        expected = literal(logits[image], boxes, cfg, [0] * 12 + [1] * 8)
        assert found[image].labels.tolist() == [label for _, _, label in expected]
        torch.testing.assert_close(found[image].scores, torch.tensor([-score for score, _, _ in expected]))
        index = torch.tensor([box for _, box, _ in expected], dtype=torch.int64)
        clipped = boxes[index].clamp(min=0).minimum(torch.tensor([120.0, 60, 120, 60]))
        torch.testing.assert_close(found[image].bboxes, clipped)


@given(
    data=st.data(),
    most=st.sampled_from([-1, 0, 1, 4, 200]),
    threshold=st.sampled_from([0.0, 0.01, 0.34, 0.99, 1.0]),
    agnostic=st.booleans(),
)
def test_detections_are_sorted_inside_above_the_threshold_and_few(strip_head, data, most, threshold, agnostic):
    numbers = st.one_of(st.floats(-20, 20, width=32), st.sampled_from([-1e30, 0.0, 0.0, 1e30]))
    maps = [[torch.tensor(data.draw(arrays(np.float32, (2, 4, 1, 7), elements=numbers)))] for _ in range(2)]
    nms = dict(type='nms', iou_threshold=0.45, class_agnostic=agnostic)
    cfg = {**AUTHORS, 'score_thr': threshold, 'max_per_img': most, 'nms': nms}
    for found in strip_head(3).predict_by_feat(*maps, None, [META] * 2, cfg):
        assert len(found) <= (most if most > 0 else 21)
        assert (found.scores > threshold).all()
        assert torch.equal(found.scores, found.scores.sort(descending=True).values)
        assert ((found.labels >= 0) & (found.labels < 3)).all()
        assert ((found.bboxes >= 0) & (found.bboxes <= torch.tensor([120.0, 60, 120, 60]))).all()
        assert (found.bboxes[:, 2:] >= found.bboxes[:, :2]).all()


def random_maps(classes):
    generator = torch.Generator().manual_seed(0)
    return [[torch.randn((1, width, 1, 20), generator=generator).requires_grad_()] for width in (classes + 1, 4)]


def test_detections_made_without_gradient_can_be_trained_on(strip_head):
    # As pseudo labels are: inference tensors would be refused.
    with torch.no_grad():
        found = strip_head(3).predict_by_feat(*random_maps(3), None, [META], AUTHORS)[0]
    weight = torch.ones(4, requires_grad=True)
    (found.bboxes * weight).sum().backward()
    found.bboxes.add_(1)
    assert weight.grad is not None


def test_detections_carry_a_gradient_where_one_is_asked_for(strip_head):
    maps = random_maps(3)
    found = strip_head(3).predict_by_feat(*maps, None, [META], AUTHORS)[0]
    (found.scores.sum() + found.bboxes.sum()).backward()
    assert all(level.grad is not None and level.grad.abs().sum() > 0 for part in maps for level in part)


@pytest.mark.parametrize('steps', [1, 50, 10**6])
def test_more_pairs_are_looked_at_while_they_do_not_fill_an_image(strip_head, steps):
    # The best pairs of an image all lie on one place; those that fill its quota come far behind them.
    generator = torch.Generator().manual_seed(0)
    head = strip_head(1)
    count = MANY_PAIRS + 400
    logits = torch.full((1, count, 2), 2.0)
    logits[0, :, 1] = -torch.randint(0, steps, (count,), generator=generator) / steps
    logits[0, -400:, 1] += 3
    deltas = torch.zeros(1, count, 4)
    deltas[0, :-400, 0] = -torch.arange(count - 400) * 10.0  # of boxes of 10 px, by variances of 0.1: all at the first
    cfg = {**AUTHORS, 'nms_pre_per_class': -1}
    maps = ([part.transpose(1, 2)[:, :, None]] for part in (logits, deltas))
    found = head.predict_by_feat(*maps, None, [dict(img_shape=(10, 10**6))], cfg)[0]
    rest = logits[0, -400:].softmax(1)[:, 0]
    order = rest.argsort(descending=True, stable=True)[:199]
    assert len(found) == 200
    torch.testing.assert_close(found.scores[1:], rest[order])
    torch.testing.assert_close(found.bboxes[1:, 0], (order + MANY_PAIRS) * 10.0)


def test_classes_may_compete(strip_head, raw_map):
    logits = confident((0.6, 0.3, 0), (0.1, 0.8, 0))
    deltas = torch.zeros(1, 2, 4)
    deltas[0, 1, 0] = -10.0  # onto the first
    agnostic = {**AUTHORS, 'nms': dict(type='nms', iou_threshold=0.45, class_agnostic=True)}
    assert run(strip_head(3), AUTHORS, logits, deltas, raw_map)[0].labels.tolist() == [1, 0]
    assert run(strip_head(3), agnostic, logits, deltas, raw_map)[0].labels.tolist() == [1]


def test_other_settings_go_to_mmcv(strip_head, raw_map):
    logits = confident((0.7, 0.2, 0.05), (0.09, 0.6, 0.3), (0.1, 0.2, 0.3))
    deltas = torch.zeros(1, 3, 4)
    deltas[0, 1, 0] = -9.0
    limited = {**AUTHORS, 'nms': dict(type='nms', iou_threshold=0.45, max_num=2)}
    found = run(strip_head(3), limited, logits, deltas, raw_map)[0]
    torch.testing.assert_close(found.scores, torch.tensor([0.7, 0.6]))


@pytest.mark.skipif(not has_compiled_ops(), reason='needs the compiled ops of mmcv')
def test_soft_suppression_lowers_scores(strip_head, raw_map):
    logits = confident((0.7, 0, 0), (0.6, 0, 0))
    deltas = torch.zeros(1, 2, 4)
    deltas[0, 1, 0] = -9.0
    soft = {**AUTHORS, 'nms': dict(type='soft_nms', iou_threshold=0.45)}
    found = run(strip_head(3), soft, logits, deltas, raw_map)[0]
    assert found.scores[0] == pytest.approx(0.7)
    assert 0 < found.scores[1] < 0.3


@pytest.mark.skipif(has_compiled_ops(), reason='needs mmcv-lite')
def test_soft_suppression_needs_compiled_ops(strip_head):
    with pytest.raises(UserError, match=r"test_cfg\.nms\.type: 'soft_nms' needs mmcv's compiled ops"):
        strip_head(3, test_cfg=dict(nms=dict(type='soft_nms')))


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        (dict(score_threshold=0.1), r'test_cfg\.score_threshold: unknown'),
        (dict(nms=dict(type='box_nms')), r"test_cfg\.nms\.type: 'box_nms', expected 'nms'"),
        (dict(nms_pre=1000, nms_pre_per_class=400), 'expected one of the two'),
    ],
)
def test_bad_test_cfg_is_refused_when_the_head_is_built(strip_head, cfg, message):
    with pytest.raises(UserError, match=message):
        strip_head(3, test_cfg=cfg)


def test_what_is_left_out_is_the_authors():
    found = SSDPostProcessor({}, bbox_coder=None)
    assert (found.score_thr, found.nms, found.max_per_img) == (0.01, dict(type='nms', iou_threshold=0.45), 200)
    assert (found.nms_pre, found.per_level, found.min_bbox_size) == (400, False, None)
