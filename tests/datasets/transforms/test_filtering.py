import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.registry import TRANSFORMS

from ssd_plugin.datasets.transforms import SSDFilterBoxes
from ssd_plugin.datasets.transforms.filtering import NO_AREA, NOT_FINITE, OUTSIDE, REASONS, invalid_boxes, usable

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


# An image of 100 x 50: the boxes, and the reason why each is unusable (None: it is usable).
CASES = [
    ([10, 10, 20, 20], None),
    ([-5, -5, 1, 1], None),
    ([99, 49, 120, 80], None),
    ([-10, -10, 200, 200], None),
    ([10, 10, 10, 20], NO_AREA),
    ([10, 10, 20, 10], NO_AREA),
    ([20, 10, 10, 20], NO_AREA),
    ([np.nan, 10, 20, 20], NOT_FINITE),
    ([10, 10, np.inf, 20], NOT_FINITE),
    ([-np.inf, 10, 20, 20], NOT_FINITE),
    ([100, 10, 120, 20], OUTSIDE),
    ([10, 50, 20, 60], OUTSIDE),
    ([-10, 10, 0, 20], OUTSIDE),
    ([10, -10, 20, 0], OUTSIDE),
    ([300, 10, 300, 20], NO_AREA),
]


def test_each_box_has_its_first_reason() -> None:
    boxes = np.array([box for box, _ in CASES], dtype=np.float32)
    masks = invalid_boxes(boxes, 100, 50)
    assert tuple(masks) == REASONS
    for i, (_, reason) in enumerate(CASES):
        assert [name for name in REASONS if masks[name][i]] == ([reason] if reason else [])
    assert usable(boxes, 100, 50).tolist() == [True] * 4 + [False] * 11


@pytest.mark.parametrize('empty', [np.zeros((0, 4), dtype=np.float32), np.zeros(0), np.array([])])
def test_no_boxes(empty: np.ndarray) -> None:
    assert usable(empty, 100, 50).shape == (0,)
    assert all(mask.shape == (0,) and mask.dtype == bool for mask in invalid_boxes(empty, 100, 50).values())


@pytest.mark.parametrize('shape', [(4,), (2, 5), (1, 2, 4)])
def test_wrong_shape_raises(shape: tuple) -> None:
    with pytest.raises(ValueError, match=r'boxes must be of shape \(M, 4\)'):
        usable(np.ones(shape), 100, 50)


def test_integer_boxes_are_accepted() -> None:
    assert usable(np.array([[0, 0, 1, 1], [3, 3, 3, 9]]), 100, 50).tolist() == [True, False]


COORDINATE = st.one_of(st.integers(-60, 160).map(float), st.sampled_from([np.nan, np.inf, -np.inf]))


@given(st.lists(st.tuples(*[COORDINATE] * 4), max_size=6))
def test_usable_means_a_positive_area_inside_the_image(boxes: list) -> None:
    array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    expected = [
        bool(np.isfinite(box).all())
        and box[2] > box[0]
        and box[3] > box[1]
        and min(box[2], 100) > max(box[0], 0)
        and min(box[3], 50) > max(box[1], 0)
        for box in boxes
    ]
    assert usable(array, 100, 50).tolist() == expected


def test_beyond_any_image_is_not_finite() -> None:
    boxes = np.array([[0, 0, 2.0**24, 5], [0, 0, 2.0**24 + 2, 5], [-1e30, 0, 5, 5]])
    assert invalid_boxes(boxes, 10, 10)[NOT_FINITE].tolist() == [False, True, True]
