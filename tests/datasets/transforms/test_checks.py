import pytest

from ssd_plugin.datasets.transforms.checks import (
    check_colour,
    check_interval,
    check_probability,
    check_scale,
)
from ssd_plugin.errors import UserError


def test_good_values_pass():
    check_probability('p', 0)
    check_probability('p', 1.0)
    check_interval('r', (1, 1), low=1)
    check_interval('r', (0.1, 7), low=0)
    assert check_scale('s', [300, 200]) == (300, 200)
    assert check_colour('c', (0, 255.0, 7)) == (0, 255, 7)


@pytest.mark.parametrize('value', [-0.01, 1.01, float('nan')])
def test_probability(value):
    with pytest.raises(UserError, match=r'^p = .*: expected a probability from 0 to 1$'):
        check_probability('p', value)


@pytest.mark.parametrize('value', [(2, 1), (0, 1), (1, 9), (1,), (1, float('nan'))])
def test_interval(value):
    with pytest.raises(UserError, match=r'^r = .*: expected two ascending numbers from 0\.5 to 8$'):
        check_interval('r', value, low=0.5, high=8)


@pytest.mark.parametrize('value', [(300,), (0, 300), (300, 2.5), (300, 300, 3)])
def test_scale(value):
    with pytest.raises(UserError, match=r'^s = .*: expected \(width, height\), whole numbers above 0$'):
        check_scale('s', value)


@pytest.mark.parametrize('value', [(1, 2), (0, 0, 256), (-1, 0, 0), (0.5, 0, 0)])
def test_colour(value):
    with pytest.raises(UserError, match=r'^c = .*: expected \(blue, green, red\), whole numbers from 0 to 255$'):
        check_colour('c', value)
