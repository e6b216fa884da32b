import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmcv.image.geometric import cv2_interp_codes

from ssd_plugin.datasets.transforms.augment_params import INTERPOLATIONS, Distortion
from ssd_plugin.datasets.transforms.render_crop import Span, fit_span, render

FILL = (104, 117, 123)
PLAIN = Distortion(contrast_last=False, brightness=None, contrast=None, saturation=None, hue=None)


def by_the_canvas(image, place, rectangle, scale, interpolation):
    """The same with a real canvas, 500 pixels of filler around the image."""
    canvas = cv2.copyMakeBorder(image, 500, 500, 500, 500, cv2.BORDER_CONSTANT, value=FILL)
    left, top = 500 - place[0], 500 - place[1]
    cut = canvas[top : top + rectangle[1], left : left + rectangle[0]]
    return cv2.resize(cut, scale, interpolation=cv2_interp_codes[interpolation])


def test_span_without_filler_is_the_whole_axis():
    assert fit_span(0, 640, 640, 300) == Span((0, 640), (0, 640), (0, 300))


def test_span_that_enlarges_keeps_the_whole_axis():
    assert fit_span(30, 90, 100, 300) == Span((30, 90), (0, 100), (0, 300))


def test_span_moves_to_edges_that_coincide():
    # Five source pixels make two output pixels: output edge 40 is source edge 100, which lies just outside 101.
    span = fit_span(101, 324, 750, 300)
    assert span == Span((101, 324), (100, 325), (40, 130))
    assert span.padding == (1, 1)
    assert span.inner() == slice(0, 90)


@given(st.integers(1, 4000), st.integers(0, 3999), st.integers(1, 4000), st.integers(1, 600))
def test_span_covers_what_shows_and_is_off_by_half_a_pixel_at_most(size, start, length, output):
    start = start % size
    stop = min(size, start + length)
    span = fit_span(start, stop, size, output)
    step = size / output
    assert 0 <= span.source[0] <= start < stop <= span.source[1] <= size
    assert 0 <= span.target[0] < span.target[1] <= output
    for source, target in zip(span.source, span.target):
        assert abs(source - target * step) <= 0.5
    inner = span.inner()
    assert 0 <= inner.start < inner.stop <= span.target[1] - span.target[0]


@pytest.mark.parametrize('interpolation', INTERPOLATIONS)
@pytest.mark.parametrize(
    ('place', 'rectangle', 'scale'),
    [
        ((0, 0), (160, 120), (75, 75)),  # whole image
        ((-30, -20), (80, 70), (75, 60)),  # inside it
        ((-30, 15), (110, 90), (150, 200)),  # some filler, enlarged
        ((100, 40), (400, 300), (100, 75)),  # all around filler, edges coincide
    ],
)
def test_equals_the_canvas_where_edges_coincide(make_image, place, rectangle, scale, interpolation):
    image = make_image(160, 120)
    out = render(image, place, rectangle, scale, interpolation, FILL, PLAIN)
    assert out.shape == (scale[1], scale[0], 3)
    off = np.abs(out.astype(int) - by_the_canvas(image, place, rectangle, scale, interpolation))
    # Lanczos is rounded in another place and rings beyond the visible part.
    assert off.mean() < (0.3 if interpolation == 'lanczos' else 0.06)


def test_close_to_the_canvas_elsewhere(make_image):
    image = make_image(160, 120)
    for seed in range(40):
        rng = np.random.RandomState(seed)
        place = (rng.randint(-100, 200), rng.randint(-80, 150))
        rectangle = (rng.randint(50, 450), rng.randint(50, 350))
        interpolation = INTERPOLATIONS[seed % 5]
        out = render(image, place, rectangle, (90, 70), interpolation, FILL, PLAIN)
        expected = by_the_canvas(image, place, rectangle, (90, 70), interpolation)
        assert np.abs(out.astype(int) - expected).mean() < 1.5


def test_only_filler_shows(make_image):
    out = render(make_image(20, 20), (100, 0), (50, 50), (30, 40), 'area', FILL, PLAIN)
    assert out.shape == (40, 30, 3)
    assert (out == FILL).all()


@pytest.mark.parametrize('scale', [(40, 30), (400, 300)])
def test_filler_is_never_distorted(scale):
    image = np.full((100, 100, 3), 50, dtype=np.uint8)
    brighter = Distortion(contrast_last=False, brightness=30, contrast=None, saturation=None, hue=None)
    out = render(image, (100, 50), (400, 300), scale, 'bilinear', FILL, brighter)
    colours, counts = np.unique(out.reshape(-1, 3), axis=0, return_counts=True)
    common = {tuple(c.tolist()) for c, n in zip(colours, counts) if n > 0.02 * scale[0] * scale[1]}
    assert common == {FILL, (80, 80, 80)}


def test_source_stays_untouched(make_image):
    image = make_image(60, 50)
    before = image.copy()
    strong = Distortion(contrast_last=True, brightness=30, contrast=1.4, saturation=1.4, hue=9)
    out = render(image, (0, 0), (60, 50), (60, 50), 'bilinear', FILL, strong)
    assert np.array_equal(image, before)
    assert not np.shares_memory(out, image)
    out = render(image, (0, 0), (60, 50), (60, 50), 'bilinear', FILL, PLAIN)
    assert not np.shares_memory(out, image)
