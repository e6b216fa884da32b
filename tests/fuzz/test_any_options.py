"""Whatever stands behind ``--cfg-options``: one line, or a config; never a traceback."""

import copy
from argparse import ArgumentParser
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config
from one_line import assert_one_line

from ssd_plugin.cli.config_file import load_config
from ssd_plugin.cli.options import OptionsAction
from ssd_plugin.errors import UserError

CONFIG = Path(__file__).parents[2] / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'
FILE = Config.fromfile(CONFIG)  # reading it anew takes long
KEYS = (
    *('model', 'model.input_size', 'model.backbone', 'train_cfg.max_epochs', 'train_dataloader.batch_size', 'work_dir'),
    *(
        'custom_hooks',
        'custom_hooks.0',
        'param_scheduler.1.T_max',
        'param_scheduler.-1',
        'val_evaluator.type',
        '_base_',
    ),
    *('custom_imports', 'custom_imports.imports', 'env_cfg', 'default_scope', 'a.b.c', '.', 'model.', 'randomness', ''),
)
VALUES = (
    *(
        '',
        '1',
        '-1',
        'None',
        'True',
        '(400,300)',
        '[1,2',
        '[[1],(2,)]',
        '1e400',
        '9' * 500,
        "'",
        '"a,b"',
        '{',
        '{}',
        ',',
    ),
    *('((1,)', ')(', '[(]', '"[', "1,'", '((((((', '1,,2'),
)

texts = st.text(st.one_of(st.sampled_from('=.,()[]{}\'" \\01eE-'), st.characters()), max_size=30)
values = st.one_of(st.sampled_from(VALUES), texts)
pairs = st.one_of(texts, st.builds('{}={}'.format, st.one_of(st.sampled_from(KEYS), texts), values))


@pytest.fixture(scope='module')
def parser() -> ArgumentParser:
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)
    return parser


def parsed(parser: ArgumentParser, options: list[str]) -> dict:
    """The changes; none where they are refused."""
    try:
        return parser.parse_args(['--cfg-options', *options]).cfg_options
    except UserError as error:
        assert_one_line(error)
    except SystemExit:
        # argparse takes what begins with a dash for another option.
        if not any(option.startswith('-') for option in options):
            raise
    return {}


@given(options=st.lists(pairs, min_size=1, max_size=3))
def test_any_options_are_read_or_refused(parser: ArgumentParser, options: list[str]) -> None:
    assert all(parsed(parser, options))


@given(options=st.lists(pairs, min_size=1, max_size=2))
def test_any_options_change_a_config_or_are_refused(parser: ArgumentParser, options: list[str]) -> None:
    changes = parsed(parser, options)
    with mock.patch.object(Config, 'fromfile', return_value=copy.deepcopy(FILE)):
        try:
            config = load_config(CONFIG, changes)
        except UserError as error:
            assert_one_line(error)
        else:
            assert all(config.get(key) == value for key, value in changes.items() if '.' not in key)
