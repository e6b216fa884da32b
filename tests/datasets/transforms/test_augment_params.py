"""Every number asserted here is the authors' distribution worked out on paper; tolerances are four standard errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.datasets.transforms.augment_params import (
    INTERPOLATIONS,
    WHOLE,
    Crop,
    PixelRectangle,
    draw_crop,
    draw_distortion,
    draw_expansion,
    draw_flip,
    draw_interpolation,
)

DRAWS = 20_000
HALF = 4 * 0.5 / DRAWS**0.5
CAFFE_MIN_IOUS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.0)


def crop_of(boxes, width=1000, height=1000):
    boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    return draw_crop(boxes, width, height, CAFFE_MIN_IOUS, 50, (0.3, 1.0), (0.5, 2.0))


def test_each_colour_operation_comes_half_the_time_and_is_uniform():
    draws = [draw_distortion(0.5, 32, (0.5, 1.5), (0.5, 1.5), 18) for _ in range(DRAWS)]
    assert np.mean([d.contrast_last for d in draws]) == pytest.approx(0.5, abs=HALF)
    for name, low, high in (
        ('brightness', -32, 32),
        ('contrast', 0.5, 1.5),
        ('saturation', 0.5, 1.5),
        ('hue', -18, 18),
    ):
        amounts = np.array([getattr(d, name) for d in draws if getattr(d, name) is not None])
        assert len(amounts) / DRAWS == pytest.approx(0.5, abs=HALF)
        share = (amounts - low) / (high - low)
        assert share.min() >= 0
        assert share.max() <= 1
        assert np.quantile(share, [0, 0.25, 0.5, 0.75, 1]) == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.02)
    operations = np.array(
        [[getattr(d, n) is None for n in ('brightness', 'contrast', 'saturation', 'hue')] for d in draws]
    )
    assert operations.all(axis=1).mean() == pytest.approx(1 / 16, abs=4 * (15 / 256 / DRAWS) ** 0.5)  # independent


def test_expansion_has_mean_ratio_two_and_a_half():
    draws = [draw_expansion(1000, 500, 0.5, (1.0, 4.0)) for _ in range(DRAWS)]
    expansions = [d for d in draws if d is not None]
    assert len(expansions) / DRAWS == pytest.approx(0.5, abs=HALF)
    ratios = np.array([e.canvas_width / 1000 for e in expansions])
    assert ratios.mean() == pytest.approx(2.5, abs=4 * 3 / 12**0.5 / len(ratios) ** 0.5)
    assert ratios.min() == pytest.approx(1, abs=0.01)
    assert ratios.max() == pytest.approx(4, abs=0.01)
    for offset, room in (
        ('left', [e.canvas_width - 1000 for e in expansions]),
        ('top', [e.canvas_height - 500 for e in expansions]),
    ):
        places = np.array([getattr(e, offset) for e in expansions])
        assert (places >= 0).all()
        assert (places <= room).all()
        wide = np.array(room) > 100
        assert (places[wide] / np.array(room)[wide]).mean() == pytest.approx(0.5, abs=0.02)
    assert all(e.canvas_height == pytest.approx(e.canvas_width / 2, abs=1) for e in expansions)


def test_expansion_never_and_always():
    assert all(draw_expansion(10, 10, 0.0, (1.0, 4.0)) is None for _ in range(100))
    assert all(draw_expansion(10, 10, 1.0, (2.0, 2.0)).canvas_width == 20 for _ in range(100))


def test_image_without_objects_stays_whole_and_draws_nothing():
    np.random.seed(0)
    assert crop_of([]) == WHOLE
    assert np.random.random() == pytest.approx(0.5488135)  # still the first value of the seed


def test_tiny_object_leaves_two_choices_and_shows_the_law_of_the_crop():
    # No rectangle reaches an IoU of 0.1 with one pixel of a million, so the whole image and sampler 7 remain.
    crops = [crop_of([[500, 500, 501, 501]]) for _ in range(DRAWS)]
    cut = np.array([(c.x1, c.y1, c.x2, c.y2) for c in crops if c != WHOLE])
    assert len(cut) / DRAWS == pytest.approx(0.5, abs=HALF)
    width, height = cut[:, 2] - cut[:, 0], cut[:, 3] - cut[:, 1]
    scale = np.sqrt(width * height)
    assert np.quantile(scale, [0, 0.25, 0.5, 0.75, 1]) == pytest.approx([0.3, 0.475, 0.65, 0.825, 1], abs=0.015)
    assert (width * height).mean() == pytest.approx((1 - 0.027) / 3 / 0.7, abs=0.01)  # E[s^2] = 0.4633
    small = scale < 0.7  # nothing is clamped: the aspect ratio is uniform
    aspect = width[small] / height[small]
    assert np.quantile(aspect, [0, 0.25, 0.5, 0.75, 1]) == pytest.approx([0.5, 0.875, 1.25, 1.625, 2], abs=0.03)
    # Drawn, then clamped: the ends hold probability. P(a < s^2) = E[(s^2 - 1/2) / 1.5; s^2 > 1/2], and alike for 1/s^2.
    assert np.isclose(height, 1, atol=1e-9).mean() == pytest.approx(0.0657, abs=0.01)
    assert np.isclose(width, 1, atol=1e-9).mean() == pytest.approx(0.1634, abs=0.016)
    free = (width < 0.95) & (height < 0.95)
    assert (cut[free, 0] / (1 - width[free])).mean() == pytest.approx(0.5, abs=0.02)
    assert (cut[free, 1] / (1 - height[free])).mean() == pytest.approx(0.5, abs=0.02)


def test_object_that_fills_the_image_leaves_the_whole_image_one_chance_in_seven():
    # IoU = s^2, so the sampler of 0.9 needs s >= 0.9487: found within 50 trials with probability 0.9777, else 1 in 6.
    found = 1 - (1 - (1 - 0.9**0.5) / 0.7) ** 50
    expected = found / 7 + (1 - found) / 6
    whole = np.mean([crop_of([[0, 0, 1000, 1000]]) == WHOLE for _ in range(DRAWS)])
    assert whole == pytest.approx(expected, abs=4 * (1 / 7 * 6 / 7 / DRAWS) ** 0.5)
    assert expected > 1 / 7


def one_trial_at_a_time(boxes, min_ious):
    """The authors' sampler as they wrote it: one rectangle after the other, on normalised boxes."""
    found = [(0.0, 0.0, 1.0, 1.0)]
    for bound in min_ious:
        for _ in range(50):
            s, a = np.random.uniform(0.3, 1), np.random.uniform(0.5, 2)
            a = min(max(a, s * s), 1 / s / s)
            w, h = s * a**0.5, s / a**0.5
            x, y = np.random.uniform(0, 1 - w), np.random.uniform(0, 1 - h)
            ious = []
            for x1, y1, x2, y2 in boxes:
                overlap = max(0, min(x2, x + w) - max(x1, x)) * max(0, min(y2, y + h) - max(y1, y))
                ious.append(overlap / (w * h + (x2 - x1) * (y2 - y1) - overlap))
            if any(iou >= bound for iou in ious):
                found.append((x, y, x + w, y + h))
                break
    return found[np.random.randint(len(found))]


def test_drawing_all_trials_at_once_changes_no_distribution():
    boxes = np.array([[0.1, 0.1, 0.5, 0.9], [0.55, 0.2, 0.9, 0.6], [0.6, 0.7, 0.7, 0.8]])
    slow = np.array([one_trial_at_a_time(boxes, CAFFE_MIN_IOUS) for _ in range(1500)])
    fast = [crop_of(boxes * 1000) for _ in range(6000)]
    fast = np.array([(c.x1, c.y1, c.x2, c.y2) for c in fast])
    for share in (
        lambda c: (c == (0, 0, 1, 1)).all(1),
        lambda c: c[:, 0],
        lambda c: c[:, 3],
        lambda c: (c[:, 2] - c[:, 0]) * (c[:, 3] - c[:, 1]),
    ):
        one, other = share(slow), share(fast)
        error = (one.var() / len(one) + other.var() / len(other)) ** 0.5
        assert one.mean() == pytest.approx(other.mean(), abs=4 * error)


@pytest.mark.parametrize('bound', [0.1, 0.5, 0.7])
def test_crop_reaches_the_bound_with_one_object_and_that_is_enough(bound):
    # Were every object required, the small far one would rule out each of these crops.
    boxes = np.array([[0, 0, 600, 600], [990, 990, 1000, 1000]], dtype=np.float32)
    crops = [draw_crop(boxes, 1000, 1000, (bound,), 500, (0.3, 1.0), (0.5, 2.0)) for _ in range(300)]
    cut = [c for c in crops if c != WHOLE]
    assert len(cut) / 300 == pytest.approx(0.5, abs=0.12)  # found almost always, then one of two
    for c in cut:
        overlap = (min(c.x2, 0.6) - c.x1) * (min(c.y2, 0.6) - c.y1)
        assert overlap / ((c.x2 - c.x1) * (c.y2 - c.y1) + 0.36 - overlap) >= bound


def test_crop_in_pixels_truncates_corner_and_size():
    assert Crop(0.1, 0.2, 0.75, 0.9).pixels(333, 217) == PixelRectangle(33, 43, 216, 151)
    assert WHOLE.pixels(333, 217) == PixelRectangle(0, 0, 333, 217)
    assert Crop(0.5, 0.5, 0.9, 0.9).pixels(1, 1) == PixelRectangle(0, 0, 1, 1)


@given(
    seed=st.integers(0, 10_000),
    width=st.integers(1, 2000),
    height=st.integers(1, 2000),
    count=st.integers(0, 8),
)
def test_crop_lies_inside_the_image(seed, width, height, count):
    np.random.seed(seed)
    corner = np.random.uniform(0, 0.9, (count, 2))
    boxes = np.concatenate((corner, corner + 0.1), axis=1) * (width, height, width, height)
    crop = crop_of(boxes, width, height)
    assert 0 <= crop.x1 < crop.x2 <= 1
    assert 0 <= crop.y1 < crop.y2 <= 1
    pixels = crop.pixels(width, height)
    assert min(pixels.width, pixels.height) >= 1
    assert 0 <= pixels.left <= width - pixels.width
    assert 0 <= pixels.top <= height - pixels.height


def test_interpolations_are_equally_frequent():
    names = [draw_interpolation() for _ in range(DRAWS)]
    assert set(names) == set(INTERPOLATIONS) == {'bilinear', 'area', 'nearest', 'bicubic', 'lanczos'}
    for name in INTERPOLATIONS:
        assert names.count(name) / DRAWS == pytest.approx(0.2, abs=4 * (0.16 / DRAWS) ** 0.5)


def test_flip_comes_half_the_time():
    assert np.mean([draw_flip(0.5) for _ in range(DRAWS)]) == pytest.approx(0.5, abs=HALF)
    assert not any(draw_flip(0.0) for _ in range(100))
