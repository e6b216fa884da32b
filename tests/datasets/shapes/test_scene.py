import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd_plugin.datasets.shapes import scene
from ssd_plugin.datasets.shapes.scene import CLASSES, MAX_SCALE, MIN_SCALE, MIN_VISIBLE, draw_scene

# Area of each outline as a share of the box around it when it stands upright, from geometry.
UPRIGHT_AREAS = {
    'circle': np.pi / 4,
    'square': 1.0,
    'triangle': 0.5,
}


def test_classes_are_the_six_shapes() -> None:
    assert CLASSES == ('circle', 'square', 'triangle', 'star', 'ring', 'cross')


@pytest.mark.parametrize('name', UPRIGHT_AREAS)
def test_outline_area(name: str) -> None:
    contours = scene._OUTLINES[name](np.random.default_rng(0))
    box = np.prod(np.ptp(contours[0], axis=0))
    assert scene._area(contours) / box == pytest.approx(UPRIGHT_AREAS[name], abs=2e-3)


def test_cross_is_two_bars_of_the_arm_width() -> None:
    # Two bars of 2 x 0.6 that share a square of 0.6 x 0.6.
    assert scene._area([scene._cross(0.3)]) == pytest.approx(2 * 2 * 0.6 - 0.6**2, abs=1e-5)


@pytest.mark.parametrize('name', CLASSES)
def test_placed_outline_has_the_scale_asked_for(name: str) -> None:
    rng = np.random.default_rng(3)
    for scale in (0.06, 0.3, 0.8):
        contours = scene._place(rng, name, scale, 320, 240)
        box = np.prod(np.ptp(contours[0], axis=0))
        assert np.sqrt(box / (320 * 240)) == pytest.approx(scale, rel=1e-9)


def test_box_is_the_first_and_last_pixel_of_the_outline() -> None:
    contour = np.array([(10.2, 20.7), (39.9, 20.7), (39.9, 60.0), (10.2, 60.0)])
    found = scene._object_of([contour], 1, 100, 80)
    assert found is not None
    assert found.box == (10, 20, 40, 60)
    assert not found.truncated


def test_box_is_clipped_to_the_last_pixel() -> None:
    contour = np.array([(-5.0, 20.0), (50.0, 20.0), (50.0, 90.0), (-5.0, 90.0)])
    found = scene._object_of([contour], 1, 100, 80)
    assert found is not None
    assert found.box == (0, 20, 50, 79)
    assert found.truncated


def test_object_outside_the_scales_is_refused() -> None:
    tiny = np.array([(10.0, 10.0), (13.0, 10.0), (13.0, 13.0), (10.0, 13.0)])  # 3 / 100 < 5 %
    assert scene._object_of([tiny], 1, 100, 100) is None


def test_a_new_object_may_hide_only_so_much() -> None:
    owner = np.full((10, 10), -1, np.int32)
    owner[:, :5] = 0
    mask = np.zeros((10, 10), np.uint8)
    mask[:3, :5] = 255  # hides 15 of 50 pixels: 70 % stay
    assert scene._all_visible(owner, mask, [50.0], 15.0)
    mask[:4, :5] = 255  # hides 20 of 50: 60 % stay
    assert not scene._all_visible(owner, mask, [50.0], 20.0)


def test_object_mostly_outside_the_image_is_refused() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[:2, :2] = 255
    assert not scene._all_visible(np.full((10, 10), -1, np.int32), mask, [], 4 / MIN_VISIBLE + 1)


def test_objects_are_drawn_where_their_boxes_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a black surface, in even light and without a shadow, what is bright is the object."""
    monkeypatch.setattr(scene, 'paint_background', lambda rng, w, h: np.zeros((h, w, 3), np.float32))
    monkeypatch.setattr(scene, 'simulate_camera', lambda rng, canvas: np.clip(canvas, 0, 255).astype(np.uint8))
    monkeypatch.setattr(scene, '_draw_scales', lambda rng: [0.3])
    for seed in range(20):
        image, objects = draw_scene(np.random.default_rng(seed), 320, 240)
        rows, columns = np.nonzero(image.max(2) > 60)
        seen = (columns.min(), rows.min(), columns.max(), rows.max())
        assert np.abs(np.subtract(seen, objects[0].box)).max() <= 3


@settings(max_examples=settings.default.max_examples // 4)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(64, 400), height=st.integers(64, 400))
def test_every_object_is_inside_and_of_a_legal_scale(seed: int, width: int, height: int) -> None:
    image, objects = draw_scene(np.random.default_rng(seed), width, height)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert len(objects) <= 8
    for found in objects:
        x1, y1, x2, y2 = found.box
        assert 0 <= x1 < x2 <= width - 1
        assert 0 <= y1 < y2 <= height - 1
        assert MIN_SCALE <= np.sqrt((x2 - x1) * (y2 - y1) / (width * height)) <= MAX_SCALE
        assert 0 <= found.label < len(CLASSES)


def test_equal_generators_draw_equal_images() -> None:
    first, second = (draw_scene(np.random.default_rng(7), 96, 72) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert first[1] == second[1]


def test_every_class_has_hues_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    hues = []
    monkeypatch.setattr(scene, 'paint_object', lambda *args: hues.append(args[-1]))
    labels = [found.label for seed in range(20) for found in draw_scene(np.random.default_rng(seed), 96, 72)[1]]
    assert set(labels) == set(range(6))
    assert hues == [(30 * label, 30 * label + 18) for label in labels]
