"""The command-line tool, run in this process."""

import runpy
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools' / 'prepare_dataset.py'


def refused(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(TOOL), run_name='__main__')
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_the_folder_comes_from_the_variable_of_the_configs(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv('COCO_ROOT', str(tmp_path / 'none'))
    line = refused(monkeypatch, capsys, 'coco')
    source = 'https://cocodataset.org/#download'
    assert line == f'error: {tmp_path}/none/train2014 does not exist, expected a folder from {source}\n'


def test_the_folder_of_the_command_line_wins(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv('VOC_ROOT', 'elsewhere')
    line = refused(monkeypatch, capsys, 'voc', tmp_path)
    assert line.startswith(f'error: {tmp_path}/VOC2007/ImageSets/Main/trainval.txt does not exist')


def test_other_data_sets_are_refused(monkeypatch, capsys):
    assert "invalid choice: 'bccd'" in refused(monkeypatch, capsys, 'bccd')
