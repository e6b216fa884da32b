import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Optional

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import LoadImageFromFile
from torch.utils.data import DataLoader, Dataset

from ssd_plugin.cli.tool_main import error_line, run_tool, tool_parser
from ssd_plugin.errors import UserError


class Broken(Dataset):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        raise self.error


def failing(error: Exception) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


def test_bad_input_is_one_line_and_status_2(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as caught:
        run_tool(failing(UserError('a.xml: width is 0, expected a positive number')))
    assert caught.value.code == 2
    assert capsys.readouterr() == ('', 'error: a.xml: width is 0, expected a positive number\n')


def test_debug_shows_where_an_error_came_from(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'argv', ['tool', '--debug'])
    assert tool_parser('What it does.').parse_args().debug
    with pytest.raises(SystemExit):
        run_tool(failing(UserError('a.xml: bad')))
    error = capsys.readouterr().err
    assert error.startswith('Traceback')
    assert 'in main' in error
    assert error.endswith('error: a.xml: bad\n')


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        ([], 'the following arguments are required: config'),
        (['a.py', '--frm', 'x'], 'unrecognized arguments: --frm x'),
        (['a.py', '--images', 'x'], "argument --images: invalid int value: 'x'"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'argv', ['tool.py', *arguments])

    def main() -> None:
        parser = tool_parser('What it does.')
        parser.add_argument('config')
        parser.add_argument('--images', type=int)
        parser.parse_args()

    with pytest.raises(SystemExit) as caught:
        run_tool(main)
    assert caught.value.code == 2
    assert capsys.readouterr().err == f'error: {expected}; tool.py --help shows what there is\n'


@pytest.mark.parametrize('workers', [0, 1])
def test_a_workers_error_is_the_same_line(workers: int, capsys: pytest.CaptureFixture) -> None:
    loader = DataLoader(Broken(UserError('a.xml: bad: really')), num_workers=workers)
    with pytest.raises(SystemExit) as caught:
        run_tool(lambda: list(loader))
    assert caught.value.code == 2
    assert capsys.readouterr().err == 'error: a.xml: bad: really\n'


def test_any_other_error_passes(capsys: pytest.CaptureFixture) -> None:
    for error in (ValueError('bug'), RuntimeError('bug'), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            run_tool(failing(error))
    assert capsys.readouterr().err == ''


def test_success_returns_and_an_exit_of_the_tool_stays() -> None:
    run_tool(lambda: None)
    with pytest.raises(SystemExit) as caught:
        run_tool(lambda: sys.exit(0))
    assert caught.value.code == 0


def test_error_line_of_an_empty_message() -> None:
    assert error_line(UserError('')) == ''


def test_a_process_of_its_own_shows_no_traceback() -> None:
    code = (
        'from ssd_plugin.cli.tool_main import run_tool\n'
        'from ssd_plugin.errors import UserError\n'
        'def main(): raise UserError("x: 1, expected 2")\n'
        'run_tool(main)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == 'error: x: 1, expected 2'
    assert 'Traceback' not in done.stderr


class Images(Dataset):
    def __init__(self, path: str) -> None:
        self.path = path

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> dict:
        return LoadImageFromFile()({'img_path': self.path})


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize('exists', [True, False])
def test_an_image_mmcv_cannot_read_is_one_line(
    workers: int, exists: bool, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / 'a.jpg'
    if exists:
        path.write_text('no image')
    loader = DataLoader(Images(str(path)), num_workers=workers)
    with pytest.raises(SystemExit) as caught:
        run_tool(lambda: list(loader))
    assert caught.value.code == 2
    reason = 'not decodable, expected an image that OpenCV reads' if exists else 'no such file, expected an image'
    assert capsys.readouterr().err == f'error: {path}: {reason}\n'


def test_other_assertions_and_missing_files_keep_their_traceback() -> None:
    for error in (AssertionError('failed to load image: a.jpg'), FileNotFoundError("No such file or directory: 'a'")):
        with pytest.raises(type(error)):
            run_tool(failing(error))


@pytest.mark.parametrize(
    ('number', 'expected'),
    [
        (errno.ENOSPC, 'room on the disk'),
        (errno.EACCES, 'a place that this user may read or write'),
        (errno.EROFS, 'a place that this user may read or write'),
        (errno.ENOTDIR, 'a folder, or a new name'),
        (errno.EISDIR, 'a file'),
        (errno.ENAMETOOLONG, 'a shorter name'),
    ],
)
@pytest.mark.parametrize('name', ['a.json', None])
def test_a_place_that_cannot_be_used_is_one_line(
    number: int, expected: str, name: Optional[str], capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as caught:
        run_tool(failing(OSError(number, os.strerror(number), name)))
    assert caught.value.code == 2
    assert capsys.readouterr().err == f'error: {name or "a file"}: {os.strerror(number)}, expected {expected}\n'


def too_large_for_opencv() -> None:
    cv2.resize(np.zeros((1, 1, 3), np.uint8), (2**30, 2**30))


@pytest.mark.parametrize(
    'main',
    [lambda: torch.empty(2**60), too_large_for_opencv, failing(torch.OutOfMemoryError('x')), failing(MemoryError())],
)
def test_memory_that_is_not_there_is_one_line(main: Callable[[], Any], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        run_tool(main)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('error: out of memory (')
    assert line.endswith('), expected a smaller batch or input size')


def test_other_errors_of_the_system_keep_their_traceback() -> None:
    for error in (OSError('x'), BrokenPipeError(errno.EPIPE, 'x'), RuntimeError('memory')):
        with pytest.raises(type(error)):
            run_tool(failing(error))
