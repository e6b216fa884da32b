import cv2
import numpy as np

from ssd_plugin.datasets.shapes import painting, scene
from ssd_plugin.datasets.shapes.painting import paint_object, rasterise


def test_ring_has_a_hole() -> None:
    mask = rasterise([contour * 40 + 50 for contour in scene._OUTLINES['ring'](np.random.default_rng(0))], 100, 100)
    assert mask[50, 50] == 0
    assert mask[50, 50 + 34] == 255


def test_object_colour_stands_out() -> None:
    rng = np.random.default_rng(0)
    for number in range(60):
        under = rng.uniform(60, 200, 3).astype(np.float32)
        colour = painting._object_colour(rng, under, (30 * (number % 6), 30 * (number % 6) + 18))
        lab = cv2.cvtColor(np.stack([under, colour])[None] / np.float32(255), cv2.COLOR_BGR2Lab)[0]
        assert np.linalg.norm(lab[0] - lab[1]) >= 35


def test_object_colour_keeps_to_its_hues() -> None:
    rng = np.random.default_rng(0)
    under = np.full(3, 128, np.float32)
    for low in range(0, 180, 30):
        colours = np.array([[painting._object_colour(rng, under, (low, low + 18)) for _ in range(30)]])
        hues = cv2.cvtColor(colours / np.float32(255), cv2.COLOR_BGR2HSV)[0, :, 0] / 2  # degrees to OpenCV's 180
        assert low - 1 <= hues.min()
        assert hues.max() <= low + 18


def test_half_of_the_objects_have_a_darker_edge_along_their_outline() -> None:
    contour = np.array([(70.0, 60.0), (94.0, 60.0), (94.0, 84.0), (70.0, 84.0)])
    edged = 0
    for seed in range(40):
        canvas = np.full((120, 160, 3), 30, np.float32)
        paint_object(np.random.default_rng(seed), canvas, [contour], rasterise([contour], 160, 120), 24, (0, 18))
        edge, inside = canvas[60, 75:90].sum(), canvas[72, 75:90].sum()
        edged += edge < 0.75 * inside
    assert 12 <= edged <= 28
