import pytest
from plain_ssd import BOXES
from torch import Tensor

from ssd_plugin.converters import layout


@pytest.mark.parametrize(('size', 'levels', 'count'), [(300, 6, 26_285_486), (512, 7, 27_188_676)])
def test_number_of_parameters(size: int, levels: int, count: int) -> None:
    """As mmdet counts for its own networks of 20 classes."""
    total = 0
    for shape in layout.expected_shapes(levels, 20).values():
        product = 1
        for side in shape:
            product *= side
        total += product
    assert total == count
    assert layout.boxes_per_cell(levels) == BOXES[size]


def test_shapes_are_those_of_the_network(network: object, plain300: object) -> None:
    from test_mmdet import new

    state: dict[str, Tensor] = new(plain300)  # type: ignore[arg-type]
    assert {key: tuple(value.shape) for key, value in state.items()} == layout.expected_shapes(6, 3)


def test_trunk_alone() -> None:
    shapes = layout.expected_shapes(0, 0)
    assert len(shapes) == 30
    assert shapes['backbone.features.31.weight'] == (1024, 512, 3, 3)
    assert shapes['backbone.features.33.weight'] == (1024, 1024, 1, 1)
