import numpy as np
import pytest

from ssd_plugin.analysis.report.average_precision import average_precision, precision_of_objects


def test_interpolated_precision_by_hand():
    right = np.array([True, False, False, True, True])  # precision 1, 1/2, 1/3, 2/4, 3/5
    assert precision_of_objects(right, 4).tolist() == pytest.approx([1, 3 / 5, 3 / 5, 0])
    assert average_precision(right, 4) == pytest.approx(2.2 / 4)


def test_normalised_precision_by_hand():
    # Recalls 1/2 and 1 count as 5 and 10 objects beside 0 and 1 wrong detections.
    right = np.array([True, False, True])
    assert precision_of_objects(right, 2, normal=10).tolist() == pytest.approx([1, 10 / 11])
    assert average_precision(right, 2, normal=10) == pytest.approx((1 + 10 / 11) / 2)


def test_normalised_to_their_own_number_is_the_usual_precision():
    right = np.random.RandomState(0).rand(50) < 0.5
    assert precision_of_objects(right, 40, 40.0).tolist() == pytest.approx(precision_of_objects(right, 40).tolist())


def test_nothing_there():
    nothing = np.zeros(0, bool)
    assert average_precision(nothing, 0) == 0
    assert average_precision(nothing, 3) == 0
    assert average_precision(np.array([False]), 3, 10) == 0
    assert average_precision(np.array([False]), 0) == 0
