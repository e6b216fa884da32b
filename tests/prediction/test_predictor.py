import numpy as np
import pytest
from test_tiles import PerfectInferencer, objects, paint

from ssd_plugin.errors import UserError
from ssd_plugin.prediction.predictor import Predictor
from ssd_plugin.prediction.tiling import Tiling

BOXES = [(10, 10, 40, 30), (50, 20, 90, 60), (200, 20, 230, 60)]
IMAGES = [paint(300, 100, BOXES), paint(300, 100, BOXES[:1])]


@pytest.mark.parametrize('tiling', [None, Tiling(120, 100, 0.5)])
def test_classes_that_are_wanted(tiling: Tiling) -> None:
    for wanted, boxes in ((None, BOXES), (['even'], BOXES[1:2]), (['odd'], BOXES[::2]), (['odd', 'even'], BOXES)):
        first, second = Predictor(PerfectInferencer(), 4, wanted, tiling)(IMAGES)
        assert objects(first) == boxes
        assert objects(second) == [box for box in BOXES[:1] if box in boxes]
        assert {('even', 'odd')[label] for label in first.labels} == set(wanted or ['odd', 'even'])


def test_whole_images_share_a_batch() -> None:
    inferencer = PerfectInferencer()
    Predictor(inferencer, 1, None, None)(IMAGES)
    assert inferencer.batches == [[(300, 100)] * 2]


def test_progress_of_tiles() -> None:
    seen = []
    predict = Predictor(PerfectInferencer(), 2, None, Tiling(120, 100, 0.5))
    predict([np.zeros((100, 300, 3), np.uint8)], lambda steps: (seen.append(len(steps)), steps)[1])
    assert seen == [3]  # 4 tiles and the whole image


def test_a_class_that_the_model_lacks() -> None:
    with pytest.raises(UserError, match=r"^--classes: the model has no class 'cat', expected some of even, odd$"):
        Predictor(PerfectInferencer(), 4, ['odd', 'cat'], None)
