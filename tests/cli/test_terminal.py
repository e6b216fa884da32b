import io
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from mmengine.logging import MMLogger

from ssd_plugin.cli.terminal import aligned, keep_short, short_terminal

NEEDLESS = [
    'Using env variable `SHAPES_ROOT` with value of x to replace item in config.',
    '\n------------------------------------------------------------\nSystem environment:\n    sys.platform: linux',
    'Config:\na = 1',
    'Hooks will be executed in the following order:\n',
    'paramwise_options -- backbone.bn1.weight:weight_decay=0.0',
    'Exp name: x',
    'Loads checkpoint by local backend from path: x.pth',
]
NEEDED = ['Epoch(train)  [1][10/50]  loss: 1.0', 'Default boxes for an input of 300x300', 'a config: Config:']


@pytest.fixture
def terminal() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(tmp_path: Path, terminal: io.StringIO) -> Iterator[MMLogger]:
    made = MMLogger.get_instance(tmp_path.name, log_file=str(tmp_path / 'a.log'))
    made.handlers[0].setStream(terminal)
    yield made
    for handler in made.handlers:
        handler.close()
    MMLogger._instance_dict.pop(tmp_path.name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / 'a.log'


def test_the_file_has_all_and_the_terminal_what_is_needed(logger: MMLogger, file: Path, terminal: io.StringIO) -> None:
    keep_short(logger)
    for message in NEEDLESS + NEEDED:
        logger.info(message)
    logger.warning('"FileClient" will be deprecated in future.')
    logger.warning('a warning')
    logger.error('Config:\nan error')
    shown = terminal.getvalue()
    assert all(message in file.read_text() for message in [*NEEDLESS, *NEEDED, 'FileClient', 'a warning'])
    assert not any(message in shown for message in [*NEEDLESS, 'FileClient'])
    assert all(message in shown for message in [*NEEDED, 'a warning', 'an error'])


def test_debug_shows_everything(
    logger: MMLogger, terminal: io.StringIO, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'argv', ['tool.py', '--debug'])
    keep_short(logger)
    with short_terminal():
        print('creating index...')
        logger.info(NEEDLESS[0])
    assert capsys.readouterr().out == 'creating index...\n'
    assert NEEDLESS[0] in terminal.getvalue()


def test_what_libraries_print_goes_to_the_log(logger: MMLogger, file: Path, capsys: pytest.CaptureFixture) -> None:
    with short_terminal():
        print('loading annotations into memory...')
        print('Done (t=0.00s)')
        print('index created!', end='')
        print('mine')
        print()
    assert capsys.readouterr().out == 'mine\n\n'
    written = file.read_text()
    assert all(f'INFO - {text}\n' in written for text in ('loading annotations into memory...', 'Done (t=0.00s)'))
    assert 'mine' not in written


def test_warnings_of_the_visualizer_stay_away_and_all_others_come() -> None:
    module = {'__name__': 'mmengine.visualization.visualizer'}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        with short_terminal():
            for text in ('Warning: The bbox is out of bounds, the drawn bbox', 'another'):
                exec(f'import warnings; warnings.warn({text!r})', dict(module))
            warnings.warn('Warning: The bbox is out of bounds', stacklevel=1)
    assert [str(one.message) for one in caught] == ['another', 'Warning: The bbox is out of bounds']


def test_lines_are_aligned() -> None:
    assert aligned({'a': '1', 'work folder': 'x'}) == 'a               1\nwork folder     x'
