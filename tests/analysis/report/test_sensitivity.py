import numpy as np
import pytest
from hand_made import evaluated

from ssd_plugin.analysis.report.sensitivity import BANDS, band_numbers, measure_sensitivity


def test_the_bands_hold_10_20_40_20_and_10_percent():
    values = np.random.RandomState(0).permutation(np.arange(1.0, 101))
    bands = band_numbers(values)
    assert np.bincount(bands).tolist() == [10, 20, 40, 20, 10]
    edges = [(values[bands == band].min(), values[bands == band].max()) for band in range(5)]
    assert edges == [(1, 10), (11, 30), (31, 70), (71, 90), (91, 100)]


def test_equal_values_are_in_one_band():
    assert len(set(band_numbers(np.ones(10)).tolist())) == 1
    assert band_numbers(np.array([7.0])).tolist() == [0]


def squares(label):
    """Ten images with a square each, of side 11 to 20, one after the other."""
    return [([(label, (0, 0, side, side))], []) for side in range(11, 21)]


def test_bands_by_hand():
    images = squares(0)
    for number in (0, 1, 2, 9):  # XS, both of S, and XL are found, in this order
        gt, found = images[number]
        found.append((0, 1 - number / 20, gt[0][1]))
    images[5][1].append((0, 0.92, (100, 50, 140, 90)))  # background, after the second
    found = measure_sensitivity(evaluated(*images))
    assert found.normal == 10
    xs, s, m, large, xl = found.bands['area'][0]
    assert xs == 1
    # R * N / (R * N + F) with R = 1/2, 1 and F = 0, 1; the ranks of the other bands do not matter.
    assert s == pytest.approx((1 + 10 / 11) / 2)
    assert (m, large) == (0, 0)
    assert xl == pytest.approx(10 / 11)
    assert found.spread['area'][0, 1] == pytest.approx((1 - 10 / 11) / 2 / np.sqrt(2))
    assert found.spread['area'][0, 0] == 0
    # Four of ten, the last two with one wrong before them.
    assert found.overall[0] == pytest.approx((2 * 1 + 3 / 4 + 4 / 5 - 3 / 4 + 4 / 5) / 10)
    # All squares are alike in shape.
    assert np.isnan(found.bands['aspect ratio'][0]).sum() == 4
    assert np.isnan(found.overall[1:]).all()


def test_aspect_is_width_over_height():
    gt = [(0, (0, 0, 10, side)) for side in range(11, 21)]
    images = [([one], [(0, 0.9, one[1])] if one[1][3] == 20 else []) for one in gt]
    found = measure_sensitivity(evaluated(*images))
    assert found.bands['aspect ratio'][0].tolist() == [1, 0, 0, 0, 0]  # the tallest is XT
    assert found.bands['area'][0].tolist() == [0, 0, 0, 0, 1]


def test_rare_and_frequent_classes_are_normalised_alike():
    images = [*squares(0), ([(1, (0, 0, 30, 30))], [(1, 0.9, (100, 50, 140, 90)), (1, 0.8, (0, 0, 30, 30))])]
    for gt, found in images[:10]:
        found.append((0, 0.5, gt[0][1]))
    images[0][1].append((0, 0.9, (100, 50, 140, 90)))
    found = measure_sensitivity(evaluated(*images))
    assert found.normal == 5.5
    assert found.overall[1] == pytest.approx(5.5 / 6.5)
    assert found.overall[0] == pytest.approx(5.5 / 6.5)


def test_nothing_there():
    found = measure_sensitivity(evaluated(([], [(0, 0.9, (0, 0, 9, 9))])))
    assert found.normal == 0
    assert np.isnan(found.overall).all()
    assert all(np.isnan(found.bands[name]).all() for name in BANDS)
