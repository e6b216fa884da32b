import numpy as np

from ssd_plugin.datasets.transforms.gt_fields import get_boxes, keep_labels, set_boxes


def test_boxes_round_trip_without_a_copy(make_results):
    results = make_results(np.zeros((9, 9, 3), np.uint8), [[1, 2, 3, 4]])
    boxes = get_boxes(results)
    assert boxes.dtype == np.float32
    assert boxes.tolist() == [[1, 2, 3, 4]]
    moved = boxes + np.float32(1)
    set_boxes(results, moved)
    assert results['gt_bboxes'].tensor.tolist() == [[2, 3, 4, 5]]
    assert np.shares_memory(get_boxes(results), moved)


def test_labels_and_flags_stay_aligned(make_results):
    results = make_results(np.zeros((9, 9, 3), np.uint8), np.ones((3, 4)), labels=[5, 6, 7], ignored=[1, 0, 1])
    keep_labels(results, np.array([True, False, True]))
    assert results['gt_bboxes_labels'].tolist() == [5, 7]
    assert results['gt_ignore_flags'].tolist() == [True, True]
    del results['gt_ignore_flags']
    keep_labels(results, np.array([False, True]))
    assert results['gt_bboxes_labels'].tolist() == [7]
    assert 'gt_ignore_flags' not in results
