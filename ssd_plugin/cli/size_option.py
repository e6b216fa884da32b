"""Read a size from the command line."""

from ssd_plugin.errors import UserError


def parse_size(text: str, option: str, example: str) -> tuple[int, int]:
    """Read an option such as 320x240.

    Args:
        text: What was given.
        option: Its name, for the message.
        example: As the option may be, for the message.

    Returns:
        Width and height in pixels.

    Raises:
        UserError: It is no size.
    """
    sides = text.lower().split('x')
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        raise UserError(f'{option} is {text!r}, expected width x height such as {example}')
    return int(sides[0]), int(sides[1])
