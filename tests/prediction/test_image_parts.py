import os
from pathlib import Path
from typing import Any

import pytest

from ssd_plugin.errors import UserError
from ssd_plugin.prediction.image_parts import find_parts


def write_parquet(path: Path, **columns: list) -> Path:
    """Write rows in groups of four."""
    pyarrow = pytest.importorskip('pyarrow', reason='the extra [ray] brings pyarrow')
    pytest.importorskip('pyarrow.parquet').write_table(pyarrow.table(columns), path, row_group_size=4)
    return path


def test_the_images_of_a_folder_are_cut_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ('c.jpg', 'a.PNG', 'b.jpeg', 'notes.txt'):
        (tmp_path / name).touch()
    first, last = find_parts(tmp_path, 'image', 2)
    assert (first.number, first.names) == (0, [f'{tmp_path}/a.PNG', f'{tmp_path}/b.jpeg'])
    assert (last.number, last.names) == (1, [f'{tmp_path}/c.jpg'])
    assert [last.file_name, *last.contents()] == ['part-000001.parquet', None]


def test_a_list_names_paths_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path('list.txt').write_text('b ü.jpg\n\n/data/a.jpg  \nb ü.jpg')
    (part,) = find_parts(Path('list.txt'), 'image', 9)
    assert part.names == [f'{tmp_path}/b ü.jpg', '/data/a.jpg', f'{tmp_path}/b ü.jpg']


def test_a_column_of_paths_is_like_a_list(tmp_path: Path) -> None:
    write_parquet(tmp_path / 'b.parquet', where=['/x/5.jpg'])
    write_parquet(tmp_path / 'a.parquet', where=['/x/0.jpg', '1.jpg', None, '/x/3.jpg', '/x/4.jpg'])
    parts = find_parts(tmp_path, 'where', 4)
    assert [part.names for part in parts] == [
        ['/x/0.jpg', os.path.abspath('1.jpg'), '', '/x/3.jpg'],
        ['/x/4.jpg', '/x/5.jpg'],
    ]


@pytest.mark.parametrize('size', [1, 3, 4, 100])
def test_every_row_of_contents_is_in_one_part(size: int, tmp_path: Path) -> None:
    contents = [b'%d' % row * 1000 for row in range(10)]
    files = [write_parquet(tmp_path / f'{name}.parquet', image=contents, other=[0] * 10) for name in 'ab']
    parts = find_parts(tmp_path, 'image', size)
    assert [part.number for part in parts] == list(range(len(parts)))
    assert max(len(part.names) for part in parts) == min(size, 4)
    assert [name for part in parts for name in part.names] == [f'{file}:{row}' for file in files for row in range(10)]
    assert [content for part in parts for content in part.contents()] == contents * 2


def test_a_cell_without_contents_is_empty(tmp_path: Path) -> None:
    (part,) = find_parts(write_parquet(tmp_path / 'a.parquet', image=[b'x', None]), 'image', 8)
    assert list(part.contents()) == [b'x', b'']


@pytest.mark.parametrize(
    ('content', 'line'),
    [
        (None, 'input: No such file or directory, expected a folder of images, a text file of their paths, or Parquet'),
        (b'', 'input: names no image, expected a folder of images, a text file of their paths, or Parquet'),
        (b'\n \n', 'input: names no image, expected'),
        (b'\xff\xd8\xff\xe0', 'input: no text, expected a folder of images, a text file of their paths, or Parquet'),
    ],
)
def test_what_is_no_list_is_refused(content: Any, line: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / 'input').write_bytes(content)
    with pytest.raises(UserError) as caught:
        find_parts(tmp_path / 'input', 'image', 8)
    assert str(caught.value).startswith(f'{tmp_path}/{line}')


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='holds no image'):
        find_parts(tmp_path, 'image', 8)


def test_what_is_no_column_of_images_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / 'a.parquet', image=[1, 2], paths=['x', 'y'], none=[b'', b''])
    for column, line in (
        ('images', f'--column images: {path} has none of this name, expected one of image, paths, none'),
        ('image', f'--column image: {path} has int64, expected paths (string) or contents (binary)'),
    ):
        with pytest.raises(UserError) as caught:
            find_parts(path, column, 8)
        assert str(caught.value) == line
    write_parquet(tmp_path / 'b.parquet', paths=[b'x'], none=[b''])
    with pytest.raises(
        UserError, match=r'^--column paths: paths and contents in .*, expected one of them in all files'
    ):
        find_parts(tmp_path, 'paths', 8)


def test_a_broken_parquet_file_is_named(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / 'a.parquet', image=[os.urandom(5000)])
    (part,) = find_parts(path, 'image', 8)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match=rf'^{path}: cannot be read \(.*\), expected a Parquet file$'):
        list(part.contents())
    with pytest.raises(UserError, match=rf'^{path}: cannot be read \(.*\), expected a Parquet file$'):
        find_parts(path, 'image', 8)
