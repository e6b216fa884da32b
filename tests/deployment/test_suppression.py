"""The ONNX graph of suppression, beside the post-processor of the detector."""

from dataclasses import replace
from typing import Any

import onnxruntime
import pytest
import torch
from torch import Tensor

from ssd_plugin.deployment.exported_detector import _DecodedAlready
from ssd_plugin.deployment.metadata import FileMetadata
from ssd_plugin.deployment.suppression import check_suppression, suppression_graph
from ssd_plugin.errors import UserError
from ssd_plugin.models.dense_heads.post_processor import SSDPostProcessor

CLASSES, PRIORS = 3, 60
SETTINGS = dict(score_thr=0.1, nms=dict(type='nms', iou_threshold=0.45), nms_pre_per_class=20, max_per_img=15)
METADATA = FileMetadata(
    classes=['a', 'b', 'c'],
    input_size=[100, 80],
    mean=[0.0] * 3,
    std=[1.0] * 3,
    channel_order='RGB',
    preprocess='outside',
    nms='inside',
    test_cfg=SETTINGS,
    level_priors=[PRIORS],
    config='narrow.py',
    config_sha256='',
    checkpoint_sha256='',
)


def boxes_and_scores(batch: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(batch)
    corner = torch.rand(batch, PRIORS, 2, generator=generator) * 90 - 10
    size = torch.rand(batch, PRIORS, 2, generator=generator) * 40 + 5
    half = PRIORS // 2
    corner[:, half:], size[:, half:] = corner[:, :half] + 1, size[:, :half] + 1  # each box has one that fits it well
    return torch.cat([corner, corner + size], 2), torch.rand(batch, PRIORS, CLASSES, generator=generator)


def suppress(metadata: FileMetadata, bboxes: Tensor, scores: Tensor) -> list[Tensor]:
    session = onnxruntime.InferenceSession(suppression_graph(metadata).SerializeToString())
    feeds = {'all_bboxes': bboxes.numpy(), 'all_scores': scores.numpy()}
    return [torch.from_numpy(part) for part in session.run(None, feeds)]


@pytest.mark.parametrize('batch', [1, 3])
@pytest.mark.parametrize(
    'changed',
    [
        {},
        {'nms': dict(type='nms', iou_threshold=0.3, class_agnostic=True)},
        {'nms_pre_per_class': -1, 'max_per_img': -1},
        {'nms_pre_per_class': 5, 'max_per_img': 500},
        {'score_voting': True},
        {'score_voting': True, 'nms': dict(type='nms', iou_threshold=0.3, class_agnostic=True), 'max_per_img': -1},
    ],
)
def test_it_finds_what_the_post_processor_finds(batch: int, changed: dict[str, Any]) -> None:
    metadata = replace(METADATA, test_cfg={**SETTINGS, **changed})
    bboxes, scores = boxes_and_scores(batch)
    metas = [dict(img_shape=(80, 100))] * batch
    suppressor = SSDPostProcessor(metadata.test_cfg, _DecodedAlready(), use_sigmoid=True)
    expected = suppressor([torch.logit(scores)], bboxes, bboxes[0], metas)
    found = suppress(metadata, bboxes, scores)
    assert found[0].tolist() == [len(one) for one in expected]
    assert min(found[0].tolist()) > 5
    for one, count, boxes, best, labels in zip(expected, *found):
        torch.testing.assert_close(boxes[:count], one.bboxes)
        torch.testing.assert_close(best[:count], one.scores)
        assert torch.equal(labels[:count], one.labels)
        assert not boxes[count:].any()
        assert not best[count:].any()
        assert (labels[count:] == -1).all()


def test_the_vote_moves_boxes() -> None:
    bboxes, scores = boxes_and_scores(1)
    plain, voted = (
        suppress(replace(METADATA, test_cfg={**SETTINGS, 'score_voting': voting}), bboxes, scores)
        for voting in (False, True)
    )
    assert torch.equal(plain[2], voted[2])
    assert ((plain[1] - voted[1]).abs().amax(2) > 0.1).sum() > 3


def test_images_without_detections() -> None:
    bboxes, scores = boxes_and_scores(2)
    scores[1] = 0.1  # not greater than the threshold
    counts = suppress(METADATA, bboxes, scores)[0]
    assert counts[0] > 0
    assert counts[1] == 0


@pytest.mark.parametrize(
    ('settings', 'named'),
    [
        ({'nms': dict(type='soft_nms', iou_threshold=0.5)}, 'model.test_cfg.nms: '),
        ({'nms': dict(type='nms', iou_threshold=0.5, max_num=3)}, 'model.test_cfg.nms: '),
        ({'nms_pre': 1000}, 'model.test_cfg.nms_pre: 1000'),
        ({'min_bbox_size': 0}, 'model.test_cfg.min_bbox_size: 0'),
    ],
)
def test_what_the_graph_cannot_do_is_refused(settings: dict[str, Any], named: str) -> None:
    check_suppression(SETTINGS)
    with pytest.raises(UserError) as caught:
        check_suppression({**SETTINGS, **settings})
    assert str(caught.value).startswith(named)
    assert '--nms outside' in str(caught.value)
