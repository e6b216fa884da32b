from pathlib import Path

import pytest

from ssd_plugin.cli.find_images import find_images
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
