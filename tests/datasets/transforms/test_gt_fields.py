import numpy as np
from drawn_boxes import boxes as drawn
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.datasets.transforms.augment_params import WHOLE, Crop
from ssd_plugin.datasets.transforms.gt_fields import (
    get_boxes,
    keep_labels,
    mirror,
    project_to_crop,
    rescale,
    set_boxes,
    shift,
)


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


def boxes_of(*rows):
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def test_project_to_crop_keeps_by_centre_clips_and_moves():
    crop = Crop(0.25, 0.5, 0.75, 1.0)  # of 400 x 200: x 100..300, y 100..200
    boxes = boxes_of(
        [120, 110, 180, 150],  # inside
        [80, 90, 140, 130],  # centre (110, 110) inside: clipped
        [80, 110, 119, 130],  # centre 99.5 left of it: dropped, though it overlaps
        [90, 110, 110, 130],  # centre on the border: kept
        [290, 190, 320, 230],  # centre (305, 210) outside
    )
    kept, mask = project_to_crop(boxes, crop, 400, 200)
    assert mask.tolist() == [True, True, False, True, False]
    assert kept.tolist() == [[20, 10, 80, 50], [0, 0, 40, 30], [0, 10, 10, 30]]
    assert kept.dtype == np.float32


def test_project_to_crop_spreads_the_crop_as_drawn_over_whole_pixels():
    crop = Crop(0.105, 0.0, 0.505, 1.0)  # of 100 px: 10.5..50.5, cut as pixels 10..50
    kept, _ = project_to_crop(boxes_of([20.5, 0, 40.5, 100]), crop, 100, 100)
    assert np.allclose(kept, [[10, 0, 30, 100]], atol=1e-4)
    crop = Crop(0.0, 0.0, 0.409, 1.0)  # 40.9 px are drawn, 40 are cut
    kept, _ = project_to_crop(boxes_of([10, 0, 20, 100]), crop, 100, 100)
    assert np.allclose(kept, [[10 * 40 / 40.9, 0, 20 * 40 / 40.9, 100]], atol=1e-4)


def test_project_to_crop_on_the_whole_image_clips_too():
    kept, mask = project_to_crop(boxes_of([-10, 20, 30, 60], [95, 0, 115, 10]), WHOLE, 100, 80)
    assert kept.tolist() == [[0, 20, 30, 60]]
    assert mask.tolist() == [True, False]


def test_project_to_crop_without_boxes():
    kept, mask = project_to_crop(boxes_of(), Crop(0.1, 0.1, 0.6, 0.6), 50, 50)
    assert kept.shape == (0, 4)
    assert mask.shape == (0,)


def test_shift_rescale_mirror():
    box = boxes_of([10, 20, 30, 60])
    assert shift(box, 5, -7).tolist() == [[15, 13, 35, 53]]
    assert rescale(box, (2.0, 0.5), 50, 25).tolist() == [[20, 10, 50, 25]]
    assert mirror(box, 100).tolist() == [[70, 20, 90, 60]]
    assert mirror(mirror(box, 100), 100).tolist() == box.tolist()
    assert box.tolist() == [[10, 20, 30, 60]]


fraction = st.floats(0, 1)


@given(
    boxes=drawn(flat=True),
    crop=st.tuples(fraction, fraction, st.floats(0.05, 1), st.floats(0.05, 1)),
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
)
def test_boxes_with_their_centre_in_the_crop_are_emitted_inside_it_and_with_an_area(boxes, crop, width, height):
    crop = Crop(
        crop[0] * (1 - crop[2]),
        crop[1] * (1 - crop[3]),
        crop[0] * (1 - crop[2]) + crop[2],
        crop[1] * (1 - crop[3]) + crop[3],
    )
    kept, mask = project_to_crop(boxes, crop, width, height)
    pixels = crop.pixels(width, height)
    assert mask.shape == (len(boxes),)
    assert len(kept) == mask.sum()
    assert np.isfinite(kept).all()
    assert (kept >= 0).all()
    assert (kept <= (pixels.width, pixels.height, pixels.width, pixels.height)).all()
    assert (kept[:, 2:] > kept[:, :2]).all()
    for box, stays in zip(boxes.astype(float), mask):
        x, y = (box[0] + box[2]) / 2 / width, (box[1] + box[3]) / 2 / height
        # How far the centre is inside the crop; on the border itself rounding decides.
        depth = min(x - crop.x1, crop.x2 - x, y - crop.y1, crop.y2 - y)
        if depth < -1e-9:
            assert not stays
        elif depth > 1e-9 and min(box[2:] - box[:2]) > 1e-3:
            assert stays
