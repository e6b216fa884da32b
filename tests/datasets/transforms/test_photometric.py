import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.datasets.transforms import SSDPhotometricDistort
from ssd_plugin.datasets.transforms.augment_params import Distortion
from ssd_plugin.datasets.transforms.photometric import distort, level_table
from ssd_plugin.errors import UserError


def pixel(*bgr):
    return np.array([[bgr]], dtype=np.uint8)


def change(image, contrast_last=False, **amounts):
    kinds = dict(brightness=None, contrast=None, saturation=None, hue=None)
    return distort(image, Distortion(contrast_last=contrast_last, **{**kinds, **amounts}))


def test_brightness_adds_rounds_and_saturates():
    assert change(pixel(0, 100, 250), brightness=31.6).tolist() == [[[32, 132, 255]]]
    assert change(pixel(10, 100, 250), brightness=-32).tolist() == [[[0, 68, 218]]]
    assert level_table(offset=0.5)[:4].tolist() == [0, 2, 2, 4]  # half to even


def test_contrast_multiplies_without_taking_the_mean_off():
    assert change(pixel(0, 100, 200), contrast=1.5).tolist() == [[[0, 150, 255]]]
    assert change(pixel(3, 5, 200), contrast=0.5).tolist() == [[[2, 2, 100]]]  # 1.5 -> 2 and 2.5 -> 2


def test_tables_equal_opencv():
    levels = np.arange(256, dtype=np.uint8)[None]
    for factor in (0.5, 0.7310586, 1.2345, 1.5):
        assert np.array_equal(level_table(scale=factor), cv2.convertScaleAbs(levels, alpha=factor)[0])
        assert np.array_equal(level_table(offset=20 * factor), cv2.convertScaleAbs(levels, beta=20 * factor)[0])


@given(scale=st.floats(0, 4, width=32), offset=st.floats(-255, 255, width=32))
def test_a_table_rounds_and_saturates_each_level_by_itself(scale, offset):
    found = level_table(scale, offset)
    assert found.dtype == np.uint8
    assert (np.diff(found.astype(int)) >= 0).all()
    exact = np.arange(256) * float(scale) + float(offset)
    # Half a level of rounding, and what single precision adds to it.
    assert (np.abs(found - np.clip(exact, 0, 255)) <= 0.5 + 1e-4).all()


@given(
    seed=st.integers(0, 1000),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    contrast_last=st.booleans(),
    brightness=st.none() | st.floats(-255, 255),
    contrast=st.none() | st.floats(0, 4),
    saturation=st.none() | st.floats(0, 4),
    hue=st.none() | st.floats(-90, 90),
)
def test_any_distortion_of_any_image_is_an_image(seed, size, contrast_last, **amounts):
    image = np.random.RandomState(seed).randint(0, 256, (*size, 3)).astype(np.uint8)
    before = image.copy()
    found = change(image, contrast_last, **amounts)
    assert (found.shape, found.dtype) == (image.shape, np.uint8)
    assert np.array_equal(image, before)


def test_saturation_scales_s_in_8_bits():
    # BGR (50, 100, 200): H = 10, S = 255 * 150 / 200 = 191, V = 200. Halved, S = 95.5 -> 96.
    # min = 200 * (1 - 96/255) = 125, middle = 200 * (1 - 96/255 * 2/3) = 150.
    assert change(pixel(50, 100, 200), saturation=0.5).tolist() == [[[125, 150, 200]]]
    # 191 * 1.5 saturates at 255: min = 0, middle = 200 / 3 = 67.
    assert change(pixel(50, 100, 200), saturation=1.5).tolist() == [[[0, 67, 200]]]


def test_hue_turns_by_two_degrees_a_unit():
    # H = 10 + 10 = 20 (40 degrees): middle = 200 * (1 - 191/255 / 3) = 150.
    assert change(pixel(50, 100, 200), hue=10).tolist() == [[[50, 150, 200]]]


def test_hue_saturates_below_zero():
    assert change(pixel(50, 100, 200), hue=-18).tolist() == [[[50, 50, 200]]]  # H = 10 - 18 -> 0: pure red


def test_hue_wraps_above_180():
    # BGR (75, 50, 200): H = 175; 193 is 13 (26 degrees): middle = 200 * (1 - 191/255 * (1 - 13/30)) = 115.
    assert change(pixel(75, 50, 200), hue=18).tolist() == [[[50, 115, 200]]]


@pytest.mark.parametrize('contrast_last', [False, True])
def test_order_of_operations(make_image, contrast_last):
    image = make_image(40, 30)
    amounts = dict(brightness=25.3, contrast=1.4, saturation=1.3, hue=-11.0)
    order = ['brightness', 'contrast', 'saturation', 'hue']
    if contrast_last:
        order = ['brightness', 'saturation', 'hue', 'contrast']
    expected = image
    for name in order:
        expected = change(expected, **{name: amounts[name]})
    assert np.array_equal(change(image, contrast_last=contrast_last, **amounts), expected)
    other = change(image, contrast_last=not contrast_last, **amounts)
    assert not np.array_equal(other, expected)


@pytest.mark.parametrize('contrast_last', [False, True])
def test_brightness_comes_before_contrast_in_both_orders(contrast_last):
    assert change(pixel(10, 100, 240), contrast_last, brightness=30, contrast=0.5).tolist() == [[[20, 65, 128]]]


def test_nothing_to_do_gives_the_image_itself(make_image):
    image = make_image(20, 20)
    assert change(image) is image
    assert change(image, contrast=1.0005) is image


def test_source_stays_untouched(make_image):
    image = make_image(20, 20)
    before = image.copy()
    for amounts in (dict(brightness=9), dict(contrast=0.6), dict(saturation=1.4), dict(hue=7)):
        assert not np.array_equal(change(image, **amounts), image)
    assert np.array_equal(image, before)


def test_non_contiguous_image(make_image):
    image = make_image(60, 40)
    amounts = dict(brightness=9, contrast=0.6, saturation=1.4, hue=7)
    part, whole = change(image[5:25, 10:40], **amounts), change(image, **amounts)[5:25, 10:40]
    # OpenCV rounds the conversion to HSV differently at the ends of rows.
    assert np.abs(part.astype(int) - whole).max() <= 2
    assert np.array_equal(change(image[5:25, 10:40], contrast=1.3), change(image, contrast=1.3)[5:25, 10:40])


def test_transform_applies_its_draw(make_image, make_results):
    image = make_image(30, 20)
    step = SSDPhotometricDistort()
    np.random.seed(3)
    expected = distort(image, step.draw())
    np.random.seed(3)
    results = step(make_results(image, [[1, 1, 9, 9]]))
    assert np.array_equal(results['img'], expected)
    assert not np.array_equal(expected, image)


def test_zero_probability_changes_nothing(make_image, make_results):
    image = make_image(30, 20)
    for _ in range(20):
        assert np.array_equal(SSDPhotometricDistort(prob=0)(make_results(image, []))['img'], image)


@pytest.mark.parametrize(
    ('arguments', 'name'),
    [
        (dict(brightness_delta=-1), 'brightness_delta = -1'),
        (dict(hue_delta=200), 'hue_delta = 200'),
        (dict(contrast_range=(1.5, 0.5)), r'contrast_range = \(1.5, 0.5\)'),
        (dict(saturation_range=(-1, 1)), r'saturation_range = \(-1, 1\)'),
        (dict(prob=2), 'prob = 2'),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(UserError, match=name):
        SSDPhotometricDistort(**arguments)


def test_float_image_is_refused(make_image, make_results):
    with pytest.raises(UserError, match=r'image\.jpg: image of shape .* and type float32: expected'):
        SSDPhotometricDistort()(make_results(make_image(8, 8).astype(np.float32), []))
