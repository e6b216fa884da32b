"""A file is there whole or not at all."""

import errno
import os

import pytest

from ssd_plugin.whole_file import whole_file


def test_the_file_is_replaced(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with whole_file(path) as file:
        file.write('new')
        assert path.read_text() == 'old'
    assert path.read_text() == 'new'
    assert [found.name for found in tmp_path.iterdir()] == ['a.txt']


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / 'a.bin'
    path.write_bytes(b'old')
    with pytest.raises(TypeError), whole_file(path, 'wb') as file:
        file.writelines([b'ne', 'w'])
    assert path.read_bytes() == b'old'
    assert [found.name for found in tmp_path.iterdir()] == ['a.bin']


def test_an_error_of_writing_names_the_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left') as caught, whole_file(tmp_path / 'a.txt') as file:
        file.write('new')
    assert caught.value.filename == str(tmp_path / 'a.txt')
    assert list(tmp_path.iterdir()) == []
