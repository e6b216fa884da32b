import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ssd_plugin.cli.result_files import result_files
from ssd_plugin.errors import UserError


def names(images: list[Path], out: Path) -> list[tuple[str, str]]:
    found = result_files(images, out).values()
    return [(str(one.drawing.relative_to(out)), str(one.detections.relative_to(out))) for one in found]


def test_a_video_is_an_mp4(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    assert names([tmp_path / 'a.mov', tmp_path / 'b.GIF'], out) == [
        ('vis/a.mp4', 'preds/a.json'),
        ('vis/b.mp4', 'preds/b.json'),
    ]
    assert names([tmp_path / 'a.mov', tmp_path / 'a.mp4', tmp_path / 'a.jpg'], out) == [
        ('vis/a.mov.mp4', 'preds/a.mov.json'),
        ('vis/a.mp4.mp4', 'preds/a.mp4.json'),
        ('vis/a.jpg', 'preds/a.jpg.json'),
    ]


def test_images_of_a_folder(tmp_path: Path) -> None:
    images = [tmp_path / 'a.jpg', tmp_path / 'b.c.png']
    assert names(images, tmp_path / 'out') == [('vis/a.jpg', 'preds/a.json'), ('vis/b.c.png', 'preds/b.c.json')]
    assert names(images[:1], tmp_path / 'out') == [('vis/a.jpg', 'preds/a.json')]
    assert not (tmp_path / 'out').exists()


def test_folders_with_equal_names(tmp_path: Path) -> None:
    images = [tmp_path / 'x' / 'a.jpg', tmp_path / 'y' / 'z' / 'a.jpg']
    assert names(images, tmp_path) == [('vis/x/a.jpg', 'preds/x/a.json'), ('vis/y/z/a.jpg', 'preds/y/z/a.json')]


def test_names_that_differ_in_the_ending(tmp_path: Path) -> None:
    images = [tmp_path / name for name in ('a.jpg', 'a.png', 'a.jpg.png', 'b.jpg')]
    assert [detections for _, detections in names(images, tmp_path / 'out')] == [
        'preds/a.jpg.json',
        'preds/a.png.json',
        'preds/a.jpg.png.json',
        'preds/b.jpg.json',
    ]


def test_an_image_named_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert names([Path('a.jpg'), tmp_path / 'a.jpg', Path('x/../a.jpg')], tmp_path) == [('vis/a.jpg', 'preds/a.json')]


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / 'vis').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'vis')
    for folder in ('vis', 'link'):
        with pytest.raises(UserError, match=r'^--out-dir: .*/vis/a\.jpg is an input, expected a folder for drawings'):
            result_files([tmp_path / folder / 'a.jpg'], tmp_path)
    (tmp_path / 'b.jpg').symlink_to(tmp_path / 'vis' / 'b.jpg')
    (tmp_path / 'vis' / 'c.jpg').symlink_to(tmp_path / 'c.jpg')
    for name in ('b.jpg', 'vis/c.jpg'):
        with pytest.raises(UserError, match='is an input'):
            result_files([tmp_path / name], tmp_path)
    assert names([tmp_path / 'a.jpg'], tmp_path)


@pytest.mark.parametrize('name', ['a', 'a.pcx', '.jpg', 'a.jpg.'])
def test_an_ending_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r': OpenCV cannot write a drawing with this ending, expected one such as \.jpg'
    ):
        result_files([tmp_path / name], tmp_path)


@pytest.mark.parametrize('kind', ['vis', 'preds'])
def test_a_file_in_place_of_a_folder(kind: str, tmp_path: Path) -> None:
    (tmp_path / kind).touch()
    with pytest.raises(UserError, match=rf'^--out-dir: .*/{kind} cannot be written to \(Not a directory at '):
        result_files([tmp_path / 'a.jpg'], tmp_path)


def test_both_files_are_written(tmp_path: Path) -> None:
    (files,) = result_files([tmp_path / 'x' / 'a.png'], tmp_path / 'out').values()
    drawing = np.zeros((4, 6, 3), np.uint8)
    drawing[..., 0] = 200
    files.write(drawing, {'scores': [0.5]})
    assert json.loads((tmp_path / 'out' / 'preds' / 'a.json').read_text()) == {'scores': [0.5]}
    read = cv2.imread(str(tmp_path / 'out' / 'vis' / 'a.png'))
    assert read.shape == (4, 6, 3)
    assert read[0, 0].tolist() == [200, 0, 0]
