"""Score voting among the steps after the network."""

import math

import torch
from strip_detections import AUTHORS, confident, run

from ssd_plugin.models.dense_heads.post_processor import MANY_PAIRS


def test_suppressed_boxes_vote_with_their_class(strip_head, raw_map):
    logits = confident((0.6, 0.001, 0.3), (0.3, 0.001, 0.001), (0.001, 0.5, 0.001))
    deltas = torch.zeros(1, 3, 4)
    deltas[0, 1, 0], deltas[0, 2, 0] = -9.0, -19.0  # all three within a pixel: at 0, 1 and 1
    found = run(strip_head(3), {**AUTHORS, 'score_voting': True}, logits, deltas, raw_map)[0]
    assert found.labels.tolist() == [0, 1, 2]
    weight = 0.3 * math.exp(-((1 - 90 / 110) ** 2) / 0.025)
    left = weight / (0.6 + weight)
    expected = torch.tensor([[left, 0, 10 + left, 10], [1, 0, 11, 10], [0, 0, 10, 10]])
    torch.testing.assert_close(found.bboxes, expected)
    torch.testing.assert_close(found.scores, torch.tensor([0.6, 0.5, 0.3]))


def test_all_candidates_vote(strip_head, raw_map):
    # More pairs than are suppressed at once, and a quota that the best of them fill.
    count = MANY_PAIRS // 3 + 1  # of three classes each
    logits = torch.randn(1, count, 4, generator=torch.Generator().manual_seed(0))
    deltas = torch.zeros(1, count, 4)
    deltas[0, :, 0] = -10.0 * torch.arange(count) + torch.arange(count) % 7
    cfg = {**AUTHORS, 'score_voting': True, 'nms_pre_per_class': -1, 'max_per_img': 1, 'score_thr': 0.0}
    found = run(strip_head(3), cfg, logits, deltas, raw_map)[0]
    scores, offsets = logits[0].softmax(1)[:, found.labels[0]], torch.arange(count) % 7
    best = offsets[scores.argmax()]
    shift = (offsets - best).abs()
    weights = scores * torch.exp(-((1 - (10 - shift) / (10 + shift)) ** 2) / 0.025)
    mean = (weights * offsets).sum() / weights.sum()
    torch.testing.assert_close(found.bboxes[0, 0], mean, atol=1e-3, rtol=0)  # of float32 coordinates up to 27310
