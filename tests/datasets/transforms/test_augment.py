"""The one pass against the five steps, and against the pixels themselves."""

import cv2
import numpy as np
import pytest
from drawn_boxes import boxes
from hypothesis import given
from hypothesis import strategies as st
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.dataset import Compose

from ssd_plugin.datasets.transforms import SSDAugment
from ssd_plugin.datasets.transforms.filtering import usable
from ssd_plugin.errors import UserError


def steps(scale, distort=True, expand=True, crop=True):
    types = [('SSDPhotometricDistort', distort), ('SSDExpand', expand), ('SSDBatchSampleCrop', crop)]
    chosen = [dict(type=f'ssd_plugin.{name}') for name, wanted in types if wanted]
    return Compose(chosen + [dict(type='ssd_plugin.SSDResize', scale=scale), dict(type='RandomFlip', prob=0.5)])


def random_boxes(width, height, count, rng):
    corner = rng.uniform(0, 0.8, (count, 2))
    size = rng.uniform(0.02, 0.2, (count, 2)) * rng.uniform(0.1, 5)
    return np.concatenate((corner, np.minimum(corner + size, 1)), axis=1) * (width, height, width, height)


def assert_equal_but_rounding(slow, fast, results_of, seed):
    np.random.seed(seed)
    expected, state = slow(results_of()), np.random.random()
    np.random.seed(seed)
    got = fast(results_of())
    assert np.random.random() == state
    assert np.array_equal(expected['gt_bboxes'].tensor, got['gt_bboxes'].tensor)
    assert expected['gt_bboxes'].tensor.dtype == got['gt_bboxes'].tensor.dtype
    for key in ('gt_bboxes_labels', 'gt_ignore_flags'):
        assert np.array_equal(expected[key], got[key])
        assert expected[key].dtype == got[key].dtype
    for key in ('img_shape', 'scale_factor', 'flip', 'flip_direction', 'ori_shape'):
        assert expected[key] == got[key]
    assert got['img'].dtype == np.uint8
    assert got['img'].shape == expected['img'].shape
    return np.abs(expected['img'].astype(int) - got['img']).mean()


@pytest.mark.parametrize('scale', [(96, 96), (160, 64), (50, 120)])
def test_equals_the_steps(make_results, make_image, scale):
    slow, fast = steps(scale), SSDAugment(scale)
    off = []
    for seed in range(60):
        rng = np.random.RandomState(seed)
        width, height = rng.randint(40, 300, 2)
        image, count = make_image(width, height, seed), rng.randint(0, 6)
        boxes, ignored = random_boxes(width, height, count, rng), rng.rand(count) < 0.2
        off.append(assert_equal_but_rounding(slow, fast, lambda: make_results(image, boxes, ignored=ignored), seed))  # noqa: B023
    assert np.mean(off) < 0.5
    # Where a strong contrast saturates a fine texture, distorting after resizing is not the same as before.
    assert max(off) < 3.5


@pytest.mark.parametrize('left_out', ['distort', 'expand', 'crop'])
def test_equals_the_steps_with_one_left_out(make_results, make_image, left_out):
    slow = steps((80, 60), **{left_out: False})
    fast = SSDAugment((80, 60), **({'expand_prob': 0.0} if left_out == 'expand' else {left_out: False}))
    image = make_image(150, 110)
    for seed in range(30):
        results_of = lambda: make_results(image, [[10, 10, 60, 90], [70, 20, 140, 100]])
        assert assert_equal_but_rounding(slow, fast, results_of, seed) < 2


def test_real_image_stays_close_to_the_steps(make_results, bccd_root):
    image = cv2.imread(str(bccd_root / 'JPEGImages' / 'BloodImage_00001.jpg'))
    slow, fast = steps((300, 300)), SSDAugment((300, 300))
    boxes = random_boxes(640, 480, 12, np.random.RandomState(0))
    off = [assert_equal_but_rounding(slow, fast, lambda: make_results(image, boxes), seed) for seed in range(40)]
    assert np.mean(off) < 0.25
    assert max(off) < 1


@pytest.mark.parametrize('one_pass', [True, False])
def test_boxes_follow_the_pixels(make_results, one_pass):
    image = np.full((180, 260, 3), 40, dtype=np.uint8)
    image[60:130, 90:190] = (0, 0, 255)
    scale = (200, 150)
    pipeline = SSDAugment(scale, distort=False) if one_pass else steps(scale, distort=False)
    found = 0
    for seed in range(150):
        np.random.seed(seed)
        results = pipeline(make_results(image, [[90, 60, 190, 130]]))
        if len(results['gt_bboxes']) == 0:
            continue
        blue, green, red = cv2.split(results['img'].astype(int))
        rows, columns = np.nonzero((red > 150) & (green < 60) & (blue < 60))
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        # The crop truncates its corner and its size to source pixels, the boxes follow the crop as drawn.
        tolerance = 1 + 2 * max(results['scale_factor'])
        assert np.abs(results['gt_bboxes'].tensor.numpy()[0] - seen).max() <= tolerance
        found += 1
    assert found > 100


def test_without_objects_nothing_is_cropped(make_results, make_image):
    fast = SSDAugment((60, 50), distort=False, expand_prob=0, random_interpolation=False, flip_prob=0)
    image = make_image(100, 80)
    results = fast(make_results(image, []))
    assert np.array_equal(results['img'], cv2.resize(image, (60, 50)))
    assert results['gt_bboxes'].tensor.shape == (0, 4)
    assert results['gt_bboxes_labels'].shape == (0,)
    assert results['scale_factor'] == (0.6, 0.625)


def test_mirrors_always_or_never(make_results, make_image):
    image = make_image(60, 50)
    plain = dict(distort=False, expand_prob=0, crop=False, random_interpolation=False)
    results = SSDAugment((60, 50), flip_prob=1, **plain)(make_results(image, [[10, 5, 30, 20]]))
    assert np.array_equal(results['img'], image[:, ::-1])
    assert results['gt_bboxes'].tensor.tolist() == [[30, 5, 50, 20]]
    assert (results['flip'], results['flip_direction']) == (True, 'horizontal')
    results = SSDAugment((60, 50), flip_prob=0, **plain)(make_results(image, [[10, 5, 30, 20]]))
    assert np.array_equal(results['img'], image)
    assert (results['flip'], results['flip_direction']) == (False, None)


def test_arguments_reach_the_steps(make_results, make_image):
    fast = SSDAugment((30, 30), distort=dict(hue_delta=5), crop=dict(min_ious=(0.5,)), fill=(1, 2, 3))
    assert fast.distort.hue_delta == 5
    assert fast.crop.min_ious == (0.5,)
    assert fast.expand.fill == (1, 2, 3)


@given(
    seed=st.integers(0, 10_000),
    size=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    scale=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    drawn=boxes(flat=True),
)
def test_any_image_gives_the_objects_of_the_steps(seed, size, scale, drawn):
    drawn = drawn[usable(drawn, *size)]
    labels = np.arange(len(drawn))

    def results_of():
        return dict(
            img=np.random.RandomState(seed).randint(0, 256, (size[1], size[0], 3)).astype(np.uint8),
            img_shape=size[::-1],
            ori_shape=size[::-1],
            gt_bboxes=HorizontalBoxes(drawn),
            gt_bboxes_labels=labels,
            gt_ignore_flags=labels % 2 == 1,
        )

    assert_equal_but_rounding(steps(scale), SSDAugment(scale), results_of, seed)
    np.random.seed(seed)
    out = SSDAugment(scale)(results_of())
    kept = out['gt_bboxes'].tensor.numpy()
    assert out['img'].shape == (scale[1], scale[0], 3)
    assert np.isfinite(kept).all()
    assert (kept >= 0).all()
    assert (kept <= (scale[0], scale[1], scale[0], scale[1])).all()
    assert (kept[:, 2:] >= kept[:, :2]).all()
    assert set(out['gt_bboxes_labels']) <= set(labels)
    assert len(kept) == len(out['gt_bboxes_labels'])
    assert np.array_equal(out['gt_ignore_flags'], out['gt_bboxes_labels'] % 2 == 1)


@pytest.mark.parametrize(
    ('arguments', 'name'),
    [
        (dict(scale=(300, 300.5)), 'scale'),
        (dict(scale=(300, 300), expand_prob=1.5), 'prob = 1.5'),
        (dict(scale=(300, 300), flip_prob=-1), 'flip_prob = -1'),
        (dict(scale=(300, 300), fill=(0, 0, 256)), 'fill'),
        (dict(scale=(300, 300), crop=dict(trials=0)), 'trials = 0'),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(UserError, match=name):
        SSDAugment(**arguments)
