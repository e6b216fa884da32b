from pathlib import Path

import pytest

from ssd_plugin.cli.find_images import SUFFIXES, VIDEO_SUFFIXES, find_images, read_list
from ssd_plugin.errors import UserError


def test_files_stay_in_their_order_and_folders_are_sorted(tmp_path: Path) -> None:
    for name in ('b.jpg', 'c.TIFF', 'a.png', 'list.txt'):
        (tmp_path / name).touch()
    (tmp_path / 'deeper').mkdir()
    one = tmp_path / 'list.txt'
    assert find_images([one, tmp_path]) == [one, *(tmp_path / name for name in ('a.png', 'b.jpg', 'c.TIFF'))]


def test_what_is_missing_or_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf'^{tmp_path}: holds no image, expected files ending in \.jpg, '):
        find_images([tmp_path])
    with pytest.raises(UserError, match=rf'^{tmp_path}/x\.jpg: no such file or folder, expected an image$'):
        find_images([tmp_path / 'x.jpg'])


def test_a_pattern_gives_its_images(tmp_path: Path) -> None:
    (tmp_path / 'deep' / 'deeper').mkdir(parents=True)
    images = [tmp_path / 'deep' / name for name in ('b.png', 'deeper/a.JPG')]
    for path in (*images, tmp_path / 'deep' / 'notes.txt', tmp_path / 'deep' / 'c.mp4', tmp_path / 'x[1].jpg'):
        path.touch()
    assert find_images([f'{tmp_path}/deep/**']) == images
    assert find_images([f'{tmp_path}/*/*.png']) == images[:1]
    assert find_images([f'{tmp_path}/deep/*'], SUFFIXES + VIDEO_SUFFIXES) == [images[0], tmp_path / 'deep' / 'c.mp4']
    # A name is a name first.
    assert find_images([f'{tmp_path}/x[1].jpg']) == [tmp_path / 'x[1].jpg']
    with pytest.raises(UserError, match=r'\*\.bmp: no such file or folder, expected an image$'):
        find_images([f'{tmp_path}/*.bmp'])


def test_a_list_holds_a_name_on_each_line(tmp_path: Path) -> None:
    (tmp_path / 'list.txt').write_text('a b.jpg \n\n  c.jpg\n')
    assert read_list(tmp_path / 'list.txt', 'names') == ['a b.jpg', 'c.jpg']
    (tmp_path / 'binary.txt').write_bytes(b'\xff\xd8\xff')
    with pytest.raises(UserError, match=r'binary\.txt: no text, expected names$'):
        read_list(tmp_path / 'binary.txt', 'names')
    with pytest.raises(UserError, match=r'none\.txt: No such file or directory, expected names$'):
        read_list(tmp_path / 'none.txt', 'names')
