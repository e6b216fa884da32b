import numpy as np
from mmengine.registry import TRANSFORMS

from ssd_plugin.datasets.transforms import SSDFilterBoxes

IMAGE = np.zeros((60, 80, 3), dtype=np.uint8)
NAN = float('nan')


def test_drops_what_cannot_be_learned_with_labels_and_flags(make_results):
    boxes = [[10, 10, 10, 20], [5, 5, 20, 20], [90, 5, 99, 20], [5, NAN, 20, 20], [70, 50, 90, 70]]
    results = SSDFilterBoxes()(make_results(IMAGE, boxes, labels=[0, 1, 2, 0, 2], ignored=[0, 1, 0, 0, 0]))
    assert results['gt_bboxes'].tensor.tolist() == [[5, 5, 20, 20], [70, 50, 90, 70]]
    assert results['gt_bboxes_labels'].tolist() == [1, 2]
    assert results['gt_ignore_flags'].tolist() == [True, False]


def test_difficult_objects_become_ordinary_ones(make_results):
    step = TRANSFORMS.build(dict(type='ssd_plugin.SSDFilterBoxes', use_difficult_gt=True))
    results = step(make_results(IMAGE, [[5, 5, 20, 20], [9, 9, 9, 9], [1, 1, 4, 4]], ignored=[1, 1, 0]))
    assert results['gt_ignore_flags'].tolist() == [False, False]
    assert results['gt_ignore_flags'].dtype == bool


def test_without_objects(make_results):
    for use_difficult_gt in (False, True):
        results = SSDFilterBoxes(use_difficult_gt)(make_results(IMAGE, []))
        assert results['gt_bboxes'].tensor.shape == (0, 4)
        assert results['gt_bboxes_labels'].shape == (0,)
