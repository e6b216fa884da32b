from pathlib import Path

import numpy as np
import pytest
import torch

from ssd_plugin.analysis.anchor_recall import Level, best_ious, best_possible_ious, levels_of, recall_rows, shape_ious
from ssd_plugin.analysis.training_boxes import TrainingBoxes
from ssd_plugin.box_ops import box_iou
from ssd_plugin.models.task_modules.prior_generators import SSDAnchorGenerator

MAPS = [(8, 12), (4, 6), (1, 2)]


def random_boxes(number, width=200, height=130):
    """Random boxes, some of them beyond the border or smaller than a cell."""
    random = np.random.RandomState(0)
    centres, sizes = random.rand(number, 2) * (width, height), np.exp(random.rand(number, 2) * 5)
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


@pytest.mark.parametrize('clip_centers', [False, True])
def test_best_ious_are_those_of_all_default_boxes(clip_centers):
    generator = SSDAnchorGenerator([16, 32, (100, 130)], input_size=(190, 120), clip_centers=clip_centers)
    boxes = random_boxes(200)
    found = best_ious(boxes, levels_of(generator, MAPS))
    for level, priors in enumerate(generator.grid_priors(MAPS, device='cpu')):
        overlaps = box_iou(torch.from_numpy(boxes)[:, None], priors.double())
        np.testing.assert_allclose(found[level], overlaps.amax(dim=1), atol=1e-6)


def test_an_iou_by_hand():
    box = np.array([[0.0, 0, 10, 10]])
    shapes = np.array([[10.0, 10], [4, 4], [10, 40]])
    # 7 x 10 of 130 pixels; wholly inside, 16 of 100; 7 x 10 of 430.
    assert shape_ious(box, np.array([[3.0, 0]]), shapes).tolist() == [[70 / 130, 0.16, 70 / 430]]
    assert shape_ious(box, np.array([[20.0, 0]]), shapes[:1]).tolist() == [[0]]


@pytest.mark.parametrize(
    ('box', 'expected'),
    [
        ([0, 0, 8, 8], 1),  # in the middle of a cell
        ([1, 0, 11, 8], 10 / 14),  # 2 pixels beside it: a box of 14 x 8 around it, better than its own shape's 8 / 12
        ([0, 0, 1, 1], 1 / 64),  # a corner: a box of 8 x 8 pixels
        ([1, -8, 11, 24], 240 / 416),  # 2 and 4 pixels off: 14 x 24, where 14 x 40 around it has 320 / 560
    ],
)
def test_the_best_possible_iou_by_hand(box, expected):
    level = Level(np.array([4.0, 12]), np.array([4.0]), np.ones((1, 2)))
    assert best_possible_ious(np.array([box], dtype=float), [level]) == pytest.approx([expected])


def test_no_shape_beats_the_best_possible_one():
    levels = levels_of(SSDAnchorGenerator([16, 32, 100], input_size=(190, 120)), MAPS)
    boxes = random_boxes(50)
    shapes = np.exp(np.random.RandomState(1).rand(3000, 2) * 6)
    possible = best_possible_ious(boxes, levels)
    tried = best_ious(boxes, [level._replace(shapes=shapes) for level in levels]).max(axis=0)
    assert (tried <= possible + 1e-9).all()
    assert (possible - tried).max() < 0.1
    assert (possible <= 1).all()


def test_rows_by_size_and_class():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 20, 20], [0, 0, 31, 31]], dtype=float)
    found = TrainingBoxes(boxes, np.array([0, 0, 2]), np.zeros(3, dtype=int), [Path('a.jpg')], ('a', 'b', 'c'))
    rows = recall_rows(found, [np.array([0.2, 0.5, 0.8]), np.ones(3)])
    assert rows == [
        ['all', '3', '0.667', '1.000', '0.500', '1.000'],
        ['0..16 px', '1', '0.000', '1.000', '0.200', '1.000'],
        ['16..32 px', '2', '1.000', '1.000', '0.650', '1.000'],
        ['class a', '2', '0.500', '1.000', '0.350', '1.000'],
        ['class c', '1', '1.000', '1.000', '0.800', '1.000'],
    ]
