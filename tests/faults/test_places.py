"""Places that cannot be written to, through the real tools: one line before anything is computed."""

import errno
import os

import pytest
from tool_runs import CONFIG, fails

# Where a run would write, beside the file a.txt and a link to nowhere.
PLACES = ['a.txt', 'a.txt/work', 'a.txt/deep/work', 'link', 'link/work']
PLACES += [pytest.param('/proc/work', marks=pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='no /proc'))]
TOOLS = {
    'train': (['train', CONFIG, '--work-dir'], 'work_dir'),
    'test': (['test', CONFIG, CONFIG, '--work-dir'], 'work_dir'),
    'out': (['test', CONFIG, CONFIG, '--out'], '--out'),
    'infer': (['infer', CONFIG, CONFIG, 'a.jpg', '--out-dir'], '--out-dir'),
    'make_shapes': (['make_shapes'], 'OUT'),
}


@pytest.fixture
def folder(place, tmp_path, monkeypatch):
    (tmp_path / 'a.txt').touch()
    (tmp_path / 'a.jpg').touch()
    (tmp_path / 'link').symlink_to(tmp_path / 'none')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize('where', PLACES)
@pytest.mark.parametrize('way', TOOLS)
def test_a_place_that_cannot_be_written_to(way, where, folder, monkeypatch, capsys):
    (tool, *arguments), setting = TOOLS[way]
    path = f'{where}/all.pkl' if way == 'out' else where
    before = sorted(folder.rglob('*'))
    printed = fails(tool, [*arguments, path], monkeypatch, capsys)
    if way == 'make_shapes' and where == 'a.txt':
        assert printed == 'error: a.txt exists and is not a data set of shapes, expected a new or empty folder\n'
        return
    named = f'{where}/vis' if way == 'infer' else where
    assert printed.startswith(f'error: {setting}: {named} cannot be written to (')
    assert printed.endswith(
        'expected a folder with room on its disk that this user may write to, or the name of a new one\n'
    )
    assert printed.count('\n') == 1
    assert sorted(folder.rglob('*')) == before


@pytest.mark.parametrize('name', ['all.txt', 'all', '.pkl', 'folder.pkl'])
def test_a_name_for_predictions(name, folder, monkeypatch, capsys):
    (folder / 'folder.pkl').mkdir()
    printed = fails('test', [CONFIG, CONFIG, '--out', name], monkeypatch, capsys)
    assert printed == f'error: --out is {name!r}, expected a file name ending in .pkl\n'


@pytest.mark.filterwarnings('ignore')  # of other packages, about settings
def test_a_disk_that_fills_while_predictions_are_written(narrow, folder, monkeypatch, capsys):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'fsync', full)
    options = ['--cfg-options', 'test_dataloader.num_workers=0']
    arguments = [narrow, narrow.with_suffix('.pth'), '--work-dir', folder / 'work', '--out', 'new/all.pkl', *options]
    line = fails('test', arguments, monkeypatch, capsys).splitlines()[-1]
    assert line == 'error: new/all.pkl: No space left on device, expected room on the disk'
    assert list((folder / 'new').iterdir()) == []


def test_a_disk_that_fills_while_shapes_are_drawn(folder, full_disk, monkeypatch, capsys):
    full_disk(1000)
    printed = fails('make_shapes', ['new/shapes', '--images', 3, '--workers', 1], monkeypatch, capsys)
    assert printed.splitlines()[-1] == 'error: new/shapes: File too large, expected room on the disk'
    assert list((folder / 'new').iterdir()) == []
