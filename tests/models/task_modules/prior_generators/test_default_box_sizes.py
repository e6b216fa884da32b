import pytest

from ssd_plugin.models.task_modules.prior_generators.default_box_sizes import (
    BoxSizes,
    boxes_of_cell,
    level_ratios,
    level_sizes,
)


def test_step_is_floored_to_whole_percents():
    # 70 % over four steps is 17.5 %, taken as 17: 20, 37, 54, 71, 88 and 105 % of 300.
    sizes = level_sizes(300, 6, (0.2, 0.9))
    assert sizes.min == [30, 60, 111, 162, 213, 264]
    assert sizes.max == [60, 111, 162, 213, 264, 315]


def test_first_level_of_an_unpublished_range_is_half_the_next():
    assert level_sizes(200, 3, (0.3, 0.9)).min[0] == 30
    assert level_sizes(200, 3, (0.3, 0.9), first_ratio=0.2).min[0] == 40


@pytest.mark.parametrize('levels', [1, 2])
def test_few_levels(levels):
    sizes = level_sizes(100, levels, (0.2, 0.9))
    assert (sizes.min, sizes.max) == ([10, 20][:levels], [20, 90][:levels])


def test_published_ratios():
    assert level_ratios(6) == [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
    assert level_ratios(7) == [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]]
    assert level_ratios(1) == [[2]]


def test_repeated_ratios_and_one_are_skipped():
    assert boxes_of_cell(10, None, [1, 4, 4 + 1e-7, 1.0]) == [(10, 10), (20, 5), (5, 20)]


@pytest.mark.parametrize('ratios', [[2, 0.5], [2, 1 / 2, 2, 1]])
def test_a_ratio_and_its_inverse_are_one_pair(ratios):
    assert boxes_of_cell(10, 40, ratios) == boxes_of_cell(10, 40, [2])
    assert len(boxes_of_cell(10, 40, ratios)) == 4


def test_inverse_given_first_puts_the_tall_box_first():
    assert boxes_of_cell(10, None, [0.25, 4]) == [(10, 10), (5, 20), (20, 5)]


def test_truncation_keeps_pairs_and_missing_sizes():
    sizes = BoxSizes([35.84, (20.5, 30)], [76.8, (None, 40.9)]).truncate()
    assert sizes == ([35, [20, 30]], [76, [None, 40]])


def test_one_list_of_ratios_serves_all_pairs():
    assert boxes_of_cell([10, 20], [None, None], [4]) == [(10, 10), (20, 5), (5, 20), (20, 20), (40, 10), (10, 40)]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (([10, 20], [30], [2]), 'not the same number of pairs'),
        ((10, 30, [[2], [3]]), 'not the same number of pairs'),
        ((0, 30, [2]), 'min size 0'),
        ((10, -1, [2]), 'max size -1'),
        ((10, 30, [-2]), r'ratios \[-2\]'),
    ],
)
def test_bad_cells_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        boxes_of_cell(*arguments)


@pytest.mark.parametrize('scales', [(0, 0.9), (0.5, 0.5), (0.9, 0.2)])
def test_bad_ranges_are_refused(scales):
    with pytest.raises(ValueError, match='basesize_ratio_range'):
        level_sizes(300, 6, scales)
