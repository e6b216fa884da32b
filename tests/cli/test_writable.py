import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest

from ssd_plugin.cli.writable import check_writable
from ssd_plugin.errors import UserError


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_writable(tmp_path, 'work_dir')
    check_writable(tmp_path / 'new' / 'newer', 'work_dir')
    monkeypatch.chdir(tmp_path)
    check_writable('relative', 'work_dir')
    check_writable('', 'work_dir')
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / 'a.txt').touch()
    for folder in (tmp_path / 'a.txt', tmp_path / 'a.txt' / 'work'):
        with pytest.raises(UserError) as caught:
            check_writable(folder, '--out-dir')
        assert str(caught.value) == (
            f'--out-dir: {folder} cannot be written to (Not a directory at {tmp_path}/a.txt), expected a folder with '
            'room on its disk that this user may write to, or the name of a new one'
        )


def test_a_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / 'link').symlink_to(tmp_path / 'none')
    with pytest.raises(UserError, match=r'link cannot be written to \(No such file or directory at '):
        check_writable(tmp_path / 'link', '--out-dir')


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='no /proc')
def test_a_file_system_without_new_files() -> None:
    with pytest.raises(UserError, match=r'^work_dir: /proc/new/run cannot be written to \(.* at /proc\)'):
        check_writable('/proc/new/run', 'work_dir')


@pytest.fixture
def of_another(tmp_path: Path) -> Iterator[Path]:
    """A folder that this process may not write to; root may write everywhere, so that it becomes another user."""
    folder = tmp_path / 'theirs'
    folder.mkdir(mode=0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
        yield folder
        os.seteuid(0)
    else:
        yield folder


def test_a_folder_of_another_user(of_another: Path) -> None:
    for folder in (of_another, of_another / 'work', of_another / 'work' / 'vis'):
        with pytest.raises(UserError, match=r'cannot be written to \(Permission denied at '):
            check_writable(folder, 'work_dir')


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.exists('/dev/full'):
        pytest.skip('no /dev/full')
    monkeypatch.setattr('tempfile.TemporaryFile', lambda dir, buffering: FileIO('/dev/full', 'w'))
    with pytest.raises(UserError, match=r'^work_dir: .* \(No space left on device at '):
        check_writable(tmp_path, 'work_dir')
