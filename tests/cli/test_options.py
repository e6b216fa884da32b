from argparse import ArgumentParser

import pytest

from ssd_plugin.cli.options import OptionsAction
from ssd_plugin.errors import UserError


@pytest.fixture
def parser() -> ArgumentParser:
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)
    return parser


def test_pairs_are_read(parser: ArgumentParser) -> None:
    found = parser.parse_args(['--cfg-options', 'a.b=(4,3)', 'c=x=y', '--cfg-options', 'd=[1,2]', 'e='])
    assert found.cfg_options == {'a.b': (4, 3), 'c': 'x=y', 'd': [1, 2], 'e': ''}


@pytest.mark.parametrize('pair', ['a.b', '=3', 'a=(1,2', 'a=[1', ''])
def test_what_is_no_pair_is_one_line(pair: str, parser: ArgumentParser) -> None:
    with pytest.raises(UserError) as caught:
        parser.parse_args(['--cfg-options', 'x=1', pair])
    assert str(caught.value) == f'--cfg-options {pair}: expected KEY=VALUE, with every bracket closed'


def test_a_key_that_cannot_be_shown_is_refused(parser: ArgumentParser) -> None:
    with pytest.raises(UserError, match=r'^--cfg-options a\\nb=1: expected KEY=VALUE'):
        parser.parse_args(['--cfg-options', 'a\nb=1'])
