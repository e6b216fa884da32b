import json

import pytest

from ssd_plugin.datasets.preparation.files import expect, expect_count, expect_members, read_names, write_json
from ssd_plugin.errors import UserError


def test_first_column_of_a_list(tmp_path):
    (tmp_path / 'list.txt').write_text('000005 -1\n000007\n\n n01/a 3 \n')
    assert read_names(tmp_path / 'list.txt') == ['000005', '000007', 'n01/a']


def test_file_and_folder(tmp_path):
    expect(tmp_path, 'folder', 'there')
    with pytest.raises(UserError, match=r'does not exist, expected a file from there$'):
        expect(tmp_path, 'file', 'there')
    (tmp_path / 'a').touch()
    expect(tmp_path / 'a', 'file', 'there')
    with pytest.raises(UserError, match=r'a does not exist, expected a folder from there$'):
        expect(tmp_path / 'a', 'folder', 'there')


def test_missing_members_are_counted_and_three_are_named(tmp_path):
    (tmp_path / 'a.xml').touch()
    expect_members(['a'], tmp_path, '.xml', 'there')
    expect_members([], tmp_path, '.xml', 'there')
    with pytest.raises(UserError, match=r': 4 files are missing \(b\.xml, c\.xml, d\.xml, \.\.\.\), expected them'):
        expect_members('abcde', tmp_path, '.xml', 'there')


def test_number_of_images():
    expect_count(3, 3, 'list.txt')
    with pytest.raises(UserError, match=r'^list\.txt: 2 images, expected 3; is the archive whole\?$'):
        expect_count(2, 3, 'list.txt')


def test_json_is_whole_or_not_there(tmp_path):
    path = tmp_path / 'annotations' / 'a.json'
    write_json({'a': [1, 2]}, path)
    with pytest.raises(TypeError):
        write_json({'a': [1, object()]}, path)
    assert json.loads(path.read_text()) == {'a': [1, 2]}
    assert [file.name for file in path.parent.iterdir()] == ['a.json']
