from math import prod

import foreign_weights
import pytest
from plain_ssd import PlainSSD

from ssd_plugin.converters import layout


@pytest.mark.parametrize(('size', 'count'), [(300, 26_285_486), (512, 27_188_676)])
def test_number_of_parameters(size: int, count: int) -> None:
    """As mmdet counts for its own networks of 20 classes."""
    assert sum(map(prod, layout.expected_shapes(size, 20).values())) == count


@pytest.mark.parametrize('size', [300, 512])
def test_names_and_shapes_are_those_of_the_plain_network(size: int, plain300: PlainSSD, plain512: PlainSSD) -> None:
    state = foreign_weights.mmdet(plain300 if size == 300 else plain512)
    assert {key: tuple(value.shape) for key, value in state.items()} == layout.expected_shapes(size, 3)


def test_names_by_part() -> None:
    names = {layout.FIRST_CONV, layout.L2_NORM}
    modules = {name: layout.trunk(name) for name in layout.TRUNK}
    modules.update({f'{pair}_{part}': layout.extra(pair, part) for pair in range(4) for part in range(2)})
    modules.update({f'{branch}{i}': layout.head(branch, i) for branch in ('cls', 'reg') for i in range(6)})
    names.update(layout.parameters(modules).values())
    assert names == set(layout.expected_shapes(300, 3))
