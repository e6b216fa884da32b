"""A file is there whole or not at all."""

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
