"""Detections of two sides, compared by hand."""

import math

import pytest
import torch
from mmengine.structures import InstanceData

from ssd_plugin.deployment.parity import Comparison, Tolerances

SETTINGS = dict(score_thr=0.1, nms=dict(type='nms', iou_threshold=0.5), max_per_img=200)
ROWS = [(0, 0, 10, 10, 0.9, 0), (50, 50, 80, 90, 0.7, 1), (0, 0, 10, 10, 0.6, 1)]


def detections(rows: list[tuple]) -> InstanceData:
    table = torch.tensor(rows).reshape(-1, 6)
    return InstanceData(bboxes=table[:, :4], scores=table[:, 4], labels=table[:, 5].long())


def compare(reference: list[tuple], found: list[tuple], **settings: object) -> Comparison:
    comparison = Comparison(Tolerances(), {**SETTINGS, **settings})
    comparison.add(detections(reference), detections(found), 'one.jpg')
    return comparison


def test_the_same_in_another_order() -> None:
    comparison = compare(ROWS, ROWS[::-1])
    assert (comparison.box.value, comparison.score.value, comparison.alone.value) == (0, 0, 0)
    assert comparison.detections == 3
    assert not comparison.fault()


@pytest.mark.parametrize(
    ('row', 'fault'),
    [
        ((50, 50, 80, 90.5, 0.7, 1), 'one.jpg: a box differs by so many pixels: 0.5, expected at most 0.01'),
        ((50, 50, 80, 90, 0.71, 1), 'one.jpg: a score differs by 0.01, expected at most 0.001'),
        ((50, 50, 80, math.nan, 0.7, 1), 'one.jpg: a detection is found by one side alone'),
        ((50, 50, 80, 90, 0.7, 0), 'one.jpg: a detection is found by one side alone, its score above the least by 0.6'),
    ],
)
def test_what_differs_is_named(row: tuple, fault: str) -> None:
    assert compare(ROWS, [ROWS[0], row, ROWS[2]]).fault().startswith(fault)


def test_a_detection_that_one_side_lacks() -> None:
    assert compare(ROWS, ROWS[:2]).alone.value == pytest.approx(0.5)
    assert compare(ROWS[:2], ROWS).alone.value == pytest.approx(0.5)
    assert 'alone' in compare(ROWS, []).fault()
    assert 'alone' in compare([], ROWS).fault()
    assert not compare([], []).fault()


def test_what_is_no_number_stays_the_worst() -> None:
    comparison = compare(ROWS, [ROWS[0], (50, 50, 80, 90, math.nan, 1), ROWS[2]])
    comparison.add(detections(ROWS), detections(ROWS[:1]), 'two.jpg')
    assert comparison.fault().startswith('one.jpg: a detection is found by one side alone, its score above the least')
    assert comparison.alone.value == math.inf


def test_one_that_scores_as_little_as_the_least_kept_is_no_difference() -> None:
    low = (20, 20, 30, 30, 0.1004, 2)
    assert not compare([*ROWS, low], ROWS).fault()
    other = (100, 20, 130, 30, 0.5999, 2)
    assert 'alone' in compare([*ROWS, other], ROWS).fault()
    # A full quota keeps nothing that scores less.
    assert not compare(ROWS, [*ROWS[:2], (100, 20, 130, 30, 0.6, 2)], max_per_img=3).fault()


def test_rounding_tips_suppression_and_what_hangs_on_it() -> None:
    # The second overlaps the first by exactly a half: one side suppresses it, and the third lives there.
    first, second, third = (0, 0, 10, 10, 0.9, 0), (0, 0, 10, 20, 0.8, 0), (0, 5, 10, 22, 0.7, 0)
    comparison = compare([first, second], [first, third])
    assert comparison.tipped == 2
    assert not comparison.fault()
    assert 'alone' in compare([first, second], [first, (0, 14, 10, 30, 0.7, 0)]).fault()
    # Of another class it suppresses nothing.
    assert 'alone' in compare([first, second], [(0, 0, 10, 10, 0.9, 1)]).fault()


def test_score_voting_moves_boxes_that_suppression_tipped() -> None:
    # Voted, the second overlaps the first by 0.6 where the threshold is a half.
    first, second = (0, 0, 10, 10, 0.9, 0), (0, 0, 10, 6, 0.8, 0)
    assert 'alone' in compare([first, second], [first]).fault()
    voted = compare([first, second], [first], score_voting=True)
    assert voted.tipped == 1
    assert not voted.fault()
    assert 'alone' in compare([first, (0, 0, 10, 2, 0.8, 0)], [first], score_voting=True).fault()


def test_a_file_that_suppresses_otherwise_is_no_rounding() -> None:
    pairs = [(40 * i, y, 40 * i + 10, 10, score, 0) for i in range(6) for y, score in ((0, 0.9), (5, 0.8))]
    comparison = compare(pairs, pairs[::2])
    assert comparison.tipped == 6
    assert comparison.fault() == '6 detections went the other way in suppression, expected at most 5'
    assert not compare(pairs[:10], pairs[:10:2]).fault()
