"""Detections equal those of the authors' compiled DetectionOutput layer."""

import golden
import numpy as np
import pytest


@pytest.mark.parametrize('case', golden.load_cases('detections'), ids=lambda case: case['id'])
def test_detections(case):
    head = golden.make_head(case['priors'], case['logits'].shape[2] - 1)
    images = len(case['logits'])
    found = head.predict_by_feat(
        [golden.as_map(golden.background_last(case['logits']))],
        [golden.as_map(case['loc'])],
        batch_img_metas=golden.metas(images),
        cfg=dict(
            score_thr=0.01,
            nms_pre_per_class=int(case['top_k']),
            nms=dict(type='nms', iou_threshold=0.45),
            max_per_img=int(case['keep']),
        ),
    )
    rows = case['rows'].reshape(-1, 7)
    assert sum(map(len, found)) == len(rows)
    for image, detected in enumerate(found):
        scores = detected.scores.numpy()
        assert (np.diff(scores) <= 0).all()
        # By class, as theirs are: two classes' scores may differ by rounding only.
        order = np.argsort(detected.labels.numpy(), kind='stable')
        expected = rows[rows[:, 0] == image]
        assert (detected.labels.numpy()[order] + 1).tolist() == expected[:, 1].tolist()
        np.testing.assert_allclose(scores[order], expected[:, 2], rtol=1e-5)
        # Theirs are clipped when they are written out.
        boxes = np.clip(expected[:, 3:], 0, 1) * golden.SIDE
        np.testing.assert_allclose(detected.bboxes.numpy()[order], boxes, rtol=0, atol=1e-3)
