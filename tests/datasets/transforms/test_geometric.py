import numpy as np
import pytest
from drawn_boxes import boxes as drawn
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.datasets.transforms import SSDBatchSampleCrop, SSDExpand, SSDResize
from ssd_plugin.datasets.transforms.augment_params import Crop
from ssd_plugin.datasets.transforms.filtering import usable
from ssd_plugin.datasets.transforms.gt_fields import project_to_crop
from ssd_plugin.errors import UserError


def test_expand_places_the_image_on_the_fill(make_image, make_results):
    image = make_image(40, 30)
    step = SSDExpand(prob=1.0)
    np.random.seed(5)
    expansion = step.draw(40, 30)
    np.random.seed(5)
    results = step(make_results(image, [[5, 6, 20, 25]]))
    out, left, top = results['img'], expansion.left, expansion.top
    assert out.shape == (expansion.canvas_height, expansion.canvas_width, 3)
    assert results['img_shape'] == out.shape[:2]
    assert np.array_equal(out[top : top + 30, left : left + 40], image)
    outside = np.ones(out.shape[:2], dtype=bool)
    outside[top : top + 30, left : left + 40] = False
    assert (out[outside] == (104, 117, 123)).all()
    assert outside.sum() == out.shape[0] * out.shape[1] - 1200
    assert results['gt_bboxes'].tensor.tolist() == [[5 + left, 6 + top, 20 + left, 25 + top]]


def test_expand_leaves_alone(make_image, make_results):
    image = make_image(40, 30)
    results = SSDExpand(prob=0.0)(make_results(image, [[5, 6, 20, 25]]))
    assert np.array_equal(results['img'], image)
    assert results['gt_bboxes'].tensor.tolist() == [[5, 6, 20, 25]]


def test_crop_cuts_pixels_and_keeps_objects_aligned(make_image, make_results, monkeypatch):
    image = make_image(100, 80)
    step = SSDBatchSampleCrop()
    monkeypatch.setattr(step, 'draw', lambda boxes, width, height: Crop(0.25, 0.25, 0.75, 0.75))
    boxes = [[0, 0, 10, 10], [30, 30, 50, 50], [60, 40, 78, 58], [90, 70, 100, 80]]
    results = step(make_results(image, boxes, labels=[4, 5, 6, 7], ignored=[0, 1, 0, 0]))
    assert np.array_equal(results['img'], image[20:60, 25:75])
    assert results['img_shape'] == (40, 50)
    assert np.allclose(results['gt_bboxes'].tensor, [[5, 10, 25, 30], [35, 20, 50, 38]], atol=1e-5)
    assert results['gt_bboxes_labels'].tolist() == [5, 6]
    assert results['gt_ignore_flags'].tolist() == [True, False]


@given(seed=st.integers(0, 10_000), boxes=drawn(), size=st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_each_label_stays_with_its_box(make_results, seed, boxes, size):
    boxes = boxes[usable(boxes, *size)]
    step = SSDBatchSampleCrop()
    np.random.seed(seed)
    kept, mask = project_to_crop(boxes, step.draw(boxes, *size), *size)
    np.random.seed(seed)
    labels = np.arange(len(boxes))
    results = step(make_results(np.zeros((*size[::-1], 3), np.uint8), boxes, labels, labels % 3 == 0))
    assert np.array_equal(results['gt_bboxes'].tensor, kept)
    assert np.array_equal(results['gt_bboxes_labels'], labels[mask])
    assert np.array_equal(results['gt_ignore_flags'], labels[mask] % 3 == 0)


def test_crop_may_keep_no_object(make_image, make_results, monkeypatch):
    step = SSDBatchSampleCrop()
    monkeypatch.setattr(step, 'draw', lambda boxes, width, height: Crop(0.5, 0.5, 1.0, 1.0))
    results = step(make_results(make_image(50, 50), [[0, 0, 10, 10]]))
    assert results['gt_bboxes'].tensor.shape == (0, 4)
    assert results['gt_bboxes_labels'].shape == (0,)
    assert results['img'].shape == (25, 25, 3)


def test_ignored_objects_steer_the_crop(make_image, make_results):
    # The only object is ignored; were it left out, the image would always stay whole.
    step = SSDBatchSampleCrop()
    sizes = {step(make_results(make_image(50, 50), [[0, 0, 50, 50]], ignored=[1]))['img_shape'] for _ in range(30)}
    assert len(sizes) > 5


def test_crop_without_objects_stays_whole(make_image, make_results):
    image = make_image(50, 40)
    for _ in range(10):
        assert np.array_equal(SSDBatchSampleCrop()(make_results(image, []))['img'], image)


def test_resize_to_a_rectangle(make_image, make_results):
    results = SSDResize(scale=(64, 30))(make_results(make_image(100, 80), [[10, 20, 50, 60], [-5, 0, 120, 80]]))
    assert results['img'].shape == (30, 64, 3)
    assert results['img_shape'] == (30, 64)
    assert results['scale_factor'] == (0.64, 0.375)
    assert np.allclose(results['gt_bboxes'].tensor, [[6.4, 7.5, 32, 22.5], [0, 0, 64, 30]])


def test_resize_draws_five_interpolations(make_image, make_results):
    image = make_image(50, 40)
    step = SSDResize(scale=(30, 30))
    assert len({step(make_results(image, []))['img'].tobytes() for _ in range(60)}) == 5
    step = SSDResize(scale=(30, 30), random_interpolation=False)
    assert len({step(make_results(image, []))['img'].tobytes() for _ in range(20)}) == 1


@pytest.mark.parametrize(
    ('build', 'name'),
    [
        (lambda: SSDExpand(prob=-0.1), 'SSDExpand.prob = -0.1'),
        (lambda: SSDExpand(ratio_range=(0.5, 4)), r'SSDExpand.ratio_range = \(0.5, 4\)'),
        (lambda: SSDExpand(fill=(1, 2)), r'SSDExpand.fill = \(1, 2\)'),
        (lambda: SSDExpand(fill=(1, 2, 300)), r'SSDExpand.fill = \(1, 2, 300\)'),
        (lambda: SSDBatchSampleCrop(min_ious=(0.1, 1.5)), 'SSDBatchSampleCrop.min_ious = 1.5'),
        (lambda: SSDBatchSampleCrop(trials=0), 'SSDBatchSampleCrop.trials = 0'),
        (lambda: SSDBatchSampleCrop(scale_range=(0, 1)), r'SSDBatchSampleCrop.scale_range = \(0, 1\)'),
        (lambda: SSDBatchSampleCrop(aspect_range=(2, 1)), r'SSDBatchSampleCrop.aspect_range = \(2, 1\)'),
        (lambda: SSDResize(scale=(300, 0)), r'SSDResize.scale = \(300, 0\)'),
        (lambda: SSDResize(scale=(300,)), r'SSDResize.scale = \(300,\)'),
    ],
)
def test_bad_arguments_name_the_setting(build, name):
    with pytest.raises(UserError, match=f'{name}: expected'):
        build()
