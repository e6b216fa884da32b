import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from ssd_plugin.analysis.browse import Sample
from ssd_plugin.analysis.browse_picture import draw_page

CLASSES, PALETTE = ('cat', 'dog', 'cow'), [(255, 0, 0), (0, 0, 255), (255, 255, 0)]


def sample(height: int = 30, width: int = 40) -> Sample:
    """A grey image with a dog, which matches two default boxes, and a cow without any."""
    return Sample(
        name='a.jpg',
        pixels=np.full((height, width, 3), 128, np.uint8),
        gt_bboxes=np.array([[5.0, 5.0, 15.0, 25.0], [20.0, 5.0, 30.0, 10.0]]),
        gt_labels=np.array([1, 2]),
        default_boxes=np.array([[4.0, 4.0, 16.0, 24.0], [6.0, 6.0, 14.0, 26.0]]),
        gt_inds=np.array([0, 0]),
        by_level=[0, 2, 0],
    )


def test_every_box_has_the_colour_of_its_class() -> None:
    (axes,) = draw_page([sample()], CLASSES, PALETTE, 1).axes
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    drawn = [(box.get_bbox().extents.tolist(), box.get_edgecolor()[:3]) for box in boxes]
    blue, yellow = to_rgb('blue'), to_rgb('yellow')
    assert drawn == [
        ([4, 4, 16, 24], blue),
        ([6, 6, 14, 26], blue),
        ([5, 5, 15, 25], blue),
        ([20, 5, 30, 10], yellow),
    ]
    assert [text.get_text() for text in axes.texts] == ['2', '0']
    assert [text.get_color() for text in axes.texts] == ['white', 'black']
    assert axes.get_title(loc='left') == 'a.jpg\nobjects: 2, default boxes by level: 0 2 0'


def test_the_legend_names_the_classes_of_the_page() -> None:
    (legend,) = draw_page([sample()], CLASSES, PALETTE, 1).legends
    assert [text.get_text() for text in legend.get_texts()][2:] == ['dog', 'cow']


@pytest.mark.parametrize(('number', 'columns'), [(1, 1), (5, 4)])
def test_pictures_keep_their_shape_and_lie_side_by_side(number: int, columns: int) -> None:
    figure = draw_page([sample()] * number, CLASSES, PALETTE, columns)
    FigureCanvasAgg(figure).draw()
    places = [axes.get_window_extent() for axes in figure.axes]
    assert len(places) == number
    assert all(place.width / place.height == pytest.approx(4 / 3) for place in places)
    assert all(not a.overlaps(b) for i, a in enumerate(places) for b in places[:i])
    assert all(place.x0 >= 0 and place.y0 >= 0 for place in places)
