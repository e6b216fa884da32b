"""Each kind of mistake, by hand."""

import numpy as np
import pytest
from hand_made import evaluated

from ssd_plugin.analysis.report.errors import KINDS, find_errors, overlaps

BOX = (0, 0, 20, 20)
HALF = (0, 0, 20, 9)  # IoU 0.45 with BOX
THIN = (0, 0, 20, 1)  # IoU 0.05
FAR = (100, 50, 140, 90)


def kinds(gt, found):
    errors = find_errors(evaluated((gt, found)))
    return [KINDS[kind] if kind >= 0 else 'ignored' for kind in errors.kinds]


def test_iou_by_hand():
    assert overlaps(np.array([HALF, THIN, FAR], float), np.array([BOX], float))[:, 0].tolist() == [0.45, 0.05, 0]
    assert overlaps(np.zeros((0, 4)), np.zeros((2, 4))).shape == (0, 2)


@pytest.mark.parametrize(
    ('found', 'expected'),
    [
        ([(0, 0.9, BOX)], ['correct']),
        ([(0, 0.9, BOX), (0, 0.8, BOX)], ['correct', 'duplicate']),
        ([(0, 0.9, HALF)], ['localisation']),
        ([(0, 0.9, BOX), (0, 0.8, HALF)], ['correct', 'localisation']),
        ([(0, 0.9, THIN)], ['background']),
        ([(1, 0.9, BOX)], ['confusion']),
        ([(1, 0.9, HALF)], ['confusion']),
        ([(1, 0.9, THIN)], ['background']),
        ([(0, 0.9, FAR)], ['background']),
    ],
)
def test_each_kind(found, expected):
    assert kinds([(0, BOX)], found) == expected


def test_an_object_of_the_own_class_comes_first():
    assert kinds([(0, BOX), (1, BOX)], [(0, 0.9, HALF)]) == ['localisation']


def test_ignored_objects_and_what_lies_there_count_neither_way():
    assert kinds([(0, BOX, 1)], [(0, 0.9, BOX), (1, 0.8, BOX)]) == ['ignored', 'background']


def test_counts_are_of_the_best_n_detections():
    # Two cats; the third best cat is not counted, the dog is another class.
    gt = [(0, BOX), (0, FAR), (1, (150, 0, 190, 40))]
    errors = find_errors(evaluated((gt, [(0, 0.9, BOX), (0, 0.8, HALF), (0, 0.7, BOX), (1, 0.1, BOX)])))
    assert errors.objects.tolist() == [2, 1, 0]
    named = [dict(zip(KINDS, row)) for row in errors.counts.tolist()]
    assert named[0] == dict(correct=1, localisation=1, duplicate=0, confusion=0, background=0, missed=1)
    assert named[1] == dict(correct=0, localisation=0, duplicate=0, confusion=1, background=0, missed=1)
    assert set(named[2].values()) == {0}


def test_gains_by_hand():
    """One class: wrong by localisation at 0.9, right at 0.8, background at 0.7, right at 0.6, one of three missed."""
    gt = [(0, BOX), (0, FAR), (0, (150, 0, 190, 40))]
    found = [(0, 0.9, HALF), (0, 0.8, BOX), (0, 0.7, (60, 0, 90, 30)), (0, 0.6, FAR)]
    errors = find_errors(evaluated((gt, found)))
    gains = dict(zip(KINDS, errors.gains))
    before = (1 / 2 + 1 / 2) / 3  # precision 1/2 at the first, 2/4 at the second, the third is not found
    assert gains['localisation'] == pytest.approx((1 + 2 / 3) / 3 - before)
    assert gains['background'] == pytest.approx((2 / 3 + 2 / 3) / 3 - before)
    assert gains['missed'] == pytest.approx((1 / 2 + 1 / 2) / 2 - before)
    assert gains['correct'] == gains['confusion'] == gains['duplicate'] == 0


@pytest.mark.parametrize(('gt', 'found'), [([], []), ([], [(0, 0.9, BOX)]), ([(0, BOX)], [])])
def test_nothing_there(gt, found):
    errors = find_errors(evaluated((gt, found)))
    assert errors.kinds.tolist() == [KINDS.index('background')] * len(found)
    assert errors.counts.sum() == len(gt)
    assert errors.gains[:-1].tolist() == [0] * 5
