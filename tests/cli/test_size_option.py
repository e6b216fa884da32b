import pytest

from ssd_plugin.cli.size_option import parse_size
from ssd_plugin.errors import UserError


def test_width_comes_first() -> None:
    assert parse_size('320x240', '--tile', '640x480') == parse_size('320X240', '--tile', '640x480') == (320, 240)


@pytest.mark.parametrize('text', ['300', '300x', 'x', '1x2x3', '-3x3', '3.5x3', 'wide'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=f"^--tile is '{text}', expected width x height such as 640x480$"):
        parse_size(text, '--tile', '640x480')
