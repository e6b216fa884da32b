"""Check the settings of the transforms; each refusal is one line that names the setting."""

from collections.abc import Sequence

from ssd_plugin.errors import UserError


def check_probability(name: str, value: float) -> None:
    """Refuse what is no probability.

    Args:
        name: The setting.
        value: Its value.

    Raises:
        UserError: The value is not from 0 to 1.
    """
    if not 0 <= value <= 1:
        raise UserError(f'{name} = {value!r}: expected a probability from 0 to 1')


def check_interval(name: str, value: Sequence[float], low: float, high: float = float('inf')) -> None:
    """Refuse what is no interval within bounds.

    Args:
        name: The setting.
        value: Its value, two numbers.
        low: Least value allowed.
        high: Greatest value allowed.

    Raises:
        UserError: The two numbers do not ascend, or leave the bounds.
    """
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise UserError(f'{name} = {value!r}: expected two ascending numbers from {low} to {high}')


def check_scale(name: str, value: Sequence[int]) -> tuple[int, int]:
    """Refuse what is no image size.

    Args:
        name: The setting.
        value: Its value, (width, height) in pixels.

    Returns:
        (width, height).

    Raises:
        UserError: These are not two whole numbers above 0.
    """
    if len(value) != 2 or any(side != int(side) or side < 1 for side in value):
        raise UserError(f'{name} = {value!r}: expected (width, height), whole numbers above 0')
    return int(value[0]), int(value[1])


def check_colour(name: str, value: Sequence[int]) -> tuple[int, int, int]:
    """Refuse what is no 8-bit colour.

    Args:
        name: The setting.
        value: Its value, (blue, green, red).

    Returns:
        (blue, green, red).

    Raises:
        UserError: These are not three whole numbers from 0 to 255.
    """
    if len(value) != 3 or any(level != int(level) or not 0 <= level <= 255 for level in value):
        raise UserError(f'{name} = {value!r}: expected (blue, green, red), whole numbers from 0 to 255')
    return int(value[0]), int(value[1]), int(value[2])
