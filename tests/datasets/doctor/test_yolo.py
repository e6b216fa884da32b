"""Label files of YOLO: each fault, and the COCO file that is made of what is left."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmdet.datasets import CocoDataset
from PIL import Image

from ssd_plugin.datasets.doctor.faults import LEFT_OUT, NOTED, REFUSED, REMOVED, REPAIRED, Checked
from ssd_plugin.datasets.doctor.sources import folder_sources
from ssd_plugin.datasets.doctor.yolo import check_yolo
from ssd_plugin.errors import UserError

NAMES = 'names: [red cell, platelet]\n'
CELL = '0 0.5 0.5 0.2 0.4'  # of 40 x 30 pixels


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a split of some images with their labels, and the names of the classes."""

    def write(labels: dict[str, str], images: str = 'images/train', yaml: str = NAMES) -> Path:
        folders = tmp_path / images, tmp_path / images.replace('images', 'labels')
        for folder in folders:
            folder.mkdir(parents=True)
        for name, text in labels.items():
            cv2.imwrite(str(folders[0] / f'{name}.png'), np.zeros((30, 40, 3), np.uint8))
            (folders[1] / f'{name}.txt').write_text(text)
        (tmp_path / 'data.yaml').write_text(yaml)
        return tmp_path

    return write


def check(root: Path) -> Checked:
    (source,) = folder_sources(root)
    return check_yolo(source)


def read(checked: Checked, folder: Path) -> tuple[tuple, list]:
    """The classes and objects that mmdet's reader finds in the cleaned copy."""
    folder.mkdir()
    settings = checked.write_clean(folder, ())
    assert settings.pop('type') == 'CocoDataset'
    prefix, classes = settings.pop('data_prefix.img'), settings.pop('metainfo.classes')
    dataset = CocoDataset(**settings, data_prefix={'img': prefix}, metainfo={'classes': classes})
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert all(Path(info['img_path']).is_file() for info in infos)
    return tuple(dataset.metainfo['classes']), [
        [(one['bbox_label'], np.round(one['bbox'], 3).tolist()) for one in info['instances']] for info in infos
    ]


def test_sound_labels_are_read_by_mmdet(write: Callable, tmp_path: Path) -> None:
    checked = check(write({'a': f'\ufeff{CELL}\n1 0.1 0.1 0.2 0.2\n', 'b': f'\n{CELL}  \n', 'c': ''}))
    assert checked.faults == []
    assert [image.objects for image in checked.images] == [2, 1, 0]
    cell = (0, [16.0, 9.0, 24.0, 21.0])
    assert read(checked, tmp_path / 'copy') == (
        ('red cell', 'platelet'),
        [[cell, (1, [0.0, 0.0, 8.0, 6.0])], [cell], []],
    )


FAULTS = [
    ('0 0.5 0.5 0.2', REFUSED, "line 2: '0 0.5 0.5 0.2', expected class cx cy width height, or class x1 y1 "),
    ('0 0.5 0.5 0.2 0.4 0.9', REFUSED, "line 2: '0 0.5 0.5 0.2 0.4 0.9', expected class cx cy width height"),
    ('0', REFUSED, "line 2: '0', expected class cx cy width height"),
    ('cell 0.5 0.5 0.2 0.4', REFUSED, "line 2: 'cell 0.5 0.5 0.2 0.4', expected class cx cy width height"),
    ('0 0,5 0.5 0.2 0.4', REFUSED, "line 2: '0 0,5 0.5 0.2 0.4', expected class cx cy width height"),
    ('2 0.5 0.5 0.2 0.4', REFUSED, 'line 2: 2, expected 0 to 1, of (red cell, platelet)'),
    ('-1 0.5 0.5 0.2 0.4', REFUSED, 'line 2: -1, expected 0 to 1, of (red cell, platelet)'),
    ('0.5 0.5 0.5 0.2 0.4', REFUSED, 'line 2: 0.5, expected 0 to 1, of (red cell, platelet)'),
    ('nan 0.5 0.5 0.2 0.4', REFUSED, 'line 2: nan, expected 0 to 1, of (red cell, platelet)'),
    ('0 20 15 8 12', REFUSED, "line 2: 20, expected a share of the image's side, from 0 to 1"),
    ('0 0.5 0.5 -0.2 0.4', REFUSED, "line 2: -0.2, expected a share of the image's side, from 0 to 1"),
    ('0 0.5 0.5 inf 0.4', REFUSED, "line 2: inf, expected a share of the image's side, from 0 to 1"),
    ('0 0.5 nan 0.2 0.4', REMOVED, 'line 2: not finite [16.0, nan, 24.0, nan], expected a box inside 40 x 30 pixels'),
    ('0 0.5 0.5 0 0.4', LEFT_OUT, 'line 2: zero or negative width or height [20.0, 9.0, 20.0, 21.0], expected a box'),
    ('0 0.5 0.5 0.2 0.01', LEFT_OUT, 'line 2: less than a pixel wide or high [16.0, 14.85, 24.0, 15.15], expected'),
    (CELL, REPAIRED, f'line 2: {CELL!r}, expected another object'),
]


@pytest.mark.parametrize(('line', 'behaviour', 'expected'), FAULTS)
def test_a_fault_is_named_and_its_object_left_out(
    line: str, behaviour: str, expected: str, write: Callable, tmp_path: Path
) -> None:
    checked = check(write({'a': f'{CELL}\n{line}\n'}))
    (fault,) = checked.faults
    assert fault.behaviour == behaviour
    assert fault.line().startswith(f'{tmp_path}/labels/train/a.txt: {expected}')
    assert fault.image == tmp_path / 'images/train/a.png'
    assert read(checked, tmp_path / 'copy')[1] == [[(0, [16.0, 9.0, 24.0, 21.0])]]


def test_a_polygon_becomes_the_box_around_it(write: Callable, tmp_path: Path) -> None:
    checked = check(write({'a': '1 0.1 0.5 0.3 0.2 0.2 0.8\n1 0 0 1 0 1 1 0 1\n'}))
    (fault,) = checked.faults
    assert (fault.behaviour, fault.kind, fault.count) == (REPAIRED, 'polygon', 2)
    assert read(checked, tmp_path / 'copy')[1] == [[(1, [4.0, 6.0, 12.0, 24.0]), (1, [0.0, 0.0, 40.0, 30.0])]]


def test_files_without_their_counterpart_are_named(write: Callable, tmp_path: Path) -> None:
    root = write({'a': CELL, 'b': CELL, 'c': CELL, 'd': CELL})
    for path in ('images/train/a.png', 'labels/train/b.txt', 'labels/train/c.txt'):
        (root / path).unlink()
    (root / 'labels/train/d.txt').write_bytes(b'\xff\xfe')
    found = {(fault.behaviour, fault.kind, fault.file, fault.count) for fault in check(root).faults}
    labels = root / 'labels/train'
    assert found == {
        (REFUSED, 'label file', f'{labels}/d.txt', 1),
        (NOTED, 'no label file', f'{root}/images/train/b.png', 2),
        (LEFT_OUT, 'no image', f'{labels}/a.txt', 1),
    }


def test_a_folder_without_images_is_refused(write: Callable) -> None:
    assert [(fault.behaviour, fault.kind) for fault in check(write({})).faults] == [(REFUSED, 'no images')]


def test_the_boxes_of_an_image_that_exif_turns_lie_on_it_upright(write: Callable, tmp_path: Path) -> None:
    root = write({'a': CELL})
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (40, 30)).save(root / 'images/train/a.png', exif=exif)
    assert read(check(root), tmp_path / 'copy')[1] == [[(0, [12.0, 12.0, 18.0, 28.0])]]


def test_an_unreadable_image_is_not_in_the_copy(write: Callable, tmp_path: Path) -> None:
    root = write({'a': CELL, 'b': CELL})
    (root / 'images/train/a.png').write_bytes(b'')
    assert len(read(check(root), tmp_path / 'copy')[1]) == 1


@pytest.mark.parametrize(
    ('folders', 'found'),
    [
        (['images/train', 'images/val', 'images/test'], {'train': True, 'val': False, 'test': False}),
        (['train/images', 'valid/images', 'test/images'], {'train': True, 'valid': False, 'test': False}),
        (['images/train2017', 'images/val2017'], {'train2017': True, 'val2017': False}),
    ],
)
def test_both_ways_of_nesting_splits_are_found(folders: list, found: dict, write: Callable, tmp_path: Path) -> None:
    for folder in folders:
        write({'a': CELL}, folder)
    sources = list(folder_sources(tmp_path))
    assert {source.key: source.training for source in sources} == found
    assert all(check_yolo(source).faults == [] for source in sources)
    assert {str(source.images.relative_to(tmp_path)) for source in sources} == set(folders)


def test_a_folder_without_splits_is_trained_on(write: Callable, tmp_path: Path) -> None:
    (source,) = folder_sources(write({'a': CELL}, 'images'))
    assert (source.training, source.classes) == (True, ('red cell', 'platelet'))
    shutil.move(tmp_path / 'data.yaml', tmp_path / 'data.txt')
    (tmp_path / 'labels/classes.txt').write_text('cell\n')
    (source,) = folder_sources(tmp_path)
    assert source.classes == ('cell',)
    assert check_yolo(source).faults == []


def test_without_names_the_classes_are_their_numbers(write: Callable, tmp_path: Path) -> None:
    lines = [f'{number} 0.5 0.5 0.2 0.4' for number in (10**30, 2, -1)]
    checked = check(write({'a': '\n'.join(lines)}, yaml='train: images/train\n'))
    assert [fault.line() for fault in checked.faults] == [
        f'{tmp_path}/labels/train/a.txt: line 3: -1, expected a whole number'
    ]
    assert read(checked, tmp_path / 'copy')[0] == ('2', str(int(1e30)))


def test_names_may_be_numbered(write: Callable) -> None:
    (source,) = folder_sources(write({'a': CELL}, yaml='nc: 2\nnames: {1: dog, 0: cat}\n'))
    assert source.classes == ('cat', 'dog')


@pytest.mark.parametrize(
    ('yaml', 'line'),
    [
        ('names: [a\n', 'expected YAML that parses'),
        ('names: !!python/object/apply:os.getcwd []\n', 'expected YAML that parses'),
        ('nc: 3\nnames: [a, b]\n', 'expected a name for each class, numbered from 0'),
        ('nc: many\nnames: [a, b]\n', 'expected a name for each class, numbered from 0'),
        ('names: {1: a, 2: b}\n', 'expected a name for each class, numbered from 0'),
        ('names: cat\n', 'expected a name for each class, numbered from 0'),
    ],
)
def test_names_that_are_none_are_refused_in_one_line(yaml: str, line: str, write: Callable, tmp_path: Path) -> None:
    write({'a': CELL}, yaml=yaml)
    with pytest.raises(UserError) as caught:
        list(folder_sources(tmp_path))
    assert str(caught.value).startswith(f'{tmp_path}/data.yaml: ')
    assert str(caught.value).endswith(line)
    assert '\n' not in str(caught.value)
