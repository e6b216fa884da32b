from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmdet.models.task_modules.prior_generators import AnchorGenerator

from ssd_plugin.analysis.anchor_fit import fit_anchors
from ssd_plugin.analysis.training_boxes import TrainingBoxes
from ssd_plugin.errors import UserError
from ssd_plugin.models.task_modules.prior_generators import SSDAnchorGenerator

MAPS = [(19, 38), (10, 19), (1, 2)]
SIZES = dict(min_sizes=[30, 60, 130], max_sizes=[60, 130, 200], ratios=[[2], [2, 3], [2]])


def detector(**settings):
    generator = SSDAnchorGenerator([8, 16, 150], input_size=(300, 150), **{**SIZES, **settings})
    return SimpleNamespace(bbox_head=SimpleNamespace(prior_generator=generator), map_sizes=MAPS)


def gt_boxes(*shapes, number=60, labels=None):
    """As many boxes of every shape, anywhere."""
    random = np.random.RandomState(0)
    sizes = np.repeat(np.array(shapes, dtype=float), number, axis=0)
    centres = sizes / 2 + random.rand(len(sizes), 2) * ((300, 150) - sizes)
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    labels = np.zeros(len(boxes), dtype=int) if labels is None else np.repeat(labels, number)
    return TrainingBoxes(boxes, labels, np.zeros(len(boxes), dtype=int), [Path('a.jpg')], ('a', 'b'))


def test_boxes_too_small_and_too_tall_are_covered():
    found = gt_boxes((17, 17), (20, 100), labels=[0, 1])
    fit = fit_anchors(detector(), found)
    now, fitted, possible = fit.recalls
    assert now < 0.5
    assert fitted > 0.9
    assert possible == 1
    assert fit.gains
    # As many boxes as before, and a size at most twice or half of what it was.
    assert (
        [len(level.shapes) for level in fit.fitted_levels] == [len(level.shapes) for level in fit.levels] == [4, 6, 4]
    )
    assert 15 <= fit.settings['min_sizes'][0] <= 60
    assert fit_anchors(detector(), found).settings == fit.settings


def test_boxes_that_fit_already_stay():
    fit = fit_anchors(detector(), gt_boxes((30, 30), (42, 42), (60, 60), (85, 42)))
    assert fit.settings == SIZES
    assert fit.recalls == (1, 1, 1)
    assert not fit.gains


def test_a_level_of_several_pairs_and_one_without_a_larger_square():
    settings = dict(min_sizes=[[30, 45], 60, 130], max_sizes=[[60, None], 130, None], ratios=[[[2], [3]], [2, 3], []])
    fit = fit_anchors(detector(**settings), gt_boxes((17, 17)))
    assert [len(level.shapes) for level in fit.fitted_levels] == [7, 6, 1]
    assert fit.settings['max_sizes'][0][1] is None
    assert fit.settings['max_sizes'][2] is None
    assert fit.settings['ratios'][2] == []
    assert len(fit.settings['min_sizes'][0]) == 2
    assert fit.recalls[1] > fit.recalls[0]


def test_objects_smaller_than_any_cell_are_beyond_any_default_box():
    fit = fit_anchors(detector(), gt_boxes((1, 1)))
    now, fitted, possible = fit.recalls
    assert now == fitted == 0
    assert possible < 0.1
    assert fit_anchors(detector(), gt_boxes((30, 30), number=1)).recalls[0] == 1


def test_many_boxes_are_searched_by_a_part_and_measured_by_all(monkeypatch):
    monkeypatch.setattr('ssd_plugin.analysis.anchor_fit._MOST_BOXES', 100)
    fit = fit_anchors(detector(), gt_boxes((17, 17), (60, 60), number=500))
    assert len(fit.ious[1]) == 1000
    assert fit.recalls[0] < 0.6
    assert fit.recalls[1] > 0.95


def test_another_generator_is_refused():
    other = detector()
    other.bbox_head.prior_generator = AnchorGenerator([8], [1.0], scales=[4])
    with pytest.raises(UserError, match='AnchorGenerator, expected'):
        fit_anchors(other, gt_boxes((17, 17)))
