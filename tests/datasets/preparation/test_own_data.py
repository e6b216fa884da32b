import json
import shutil
from pathlib import Path

import pytest
from own_folder import CLASSES, write_folder

from ssd_plugin.datasets.preparation.own_data import prepare_own_data
from ssd_plugin.errors import UserError


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / 'out').mkdir()
    return tmp_path / 'out'


def prepare(root, target, **settings):
    return prepare_own_data(root, target, **{'share': 0.2, 'seed': 0, **settings}, progress=lambda steps, *_: steps)


@pytest.mark.parametrize('layout', ['VOC', 'COCO', 'YOLO'])
def test_each_layout_is_read_and_divided(layout, tmp_path, target):
    root = tmp_path / 'data'
    write_folder(root, layout)
    before = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    data = prepare(root, target)
    assert (data.layout, data.classes, data.found_split) == (layout, CLASSES, False)
    assert data.unused == {'VOC': (), 'COCO': ('animal',), 'YOLO': ('bird',)}[layout]
    train, val = data.sides['train'], data.sides['val']
    assert len(train.objects) == 7
    assert len(val.objects) == 2
    assert {*train.objects, *val.objects} == {root / data.images['train'].name / f'{i}.jpg' for i in range(9)}
    assert train.total + val.total == {'cat': 9, 'dog': 3}
    assert val.total == {'cat': 2, 'dog': 1}
    for side, folder in ((train, 'train'), (val, 'val')):
        assert all(Path(side.settings[key]).parent == target / folder for key in side.settings if key[:3] == 'ann')
    assert before == {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}


def test_the_lists_of_voc_are_taken(tmp_path, target):
    root = tmp_path / 'data'
    write_folder(root, 'VOC')
    lists = root / 'ImageSets' / 'Main'
    lists.mkdir(parents=True)
    for name, images in (('train', '0124'), ('val', '3'), ('test', '56')):
        (lists / f'{name}.txt').write_text('\n'.join(images))
    data = prepare(root, target)
    assert data.found_split
    assert {role: len(side.objects) for role, side in data.sides.items()} == {'train': 4, 'val': 1, 'test': 2}
    (lists / 'train.txt').rename(lists / 'trainval.txt')
    (lists / 'val.txt').unlink()
    shutil.rmtree(target)
    target.mkdir()
    data = prepare(root, target)
    assert not data.found_split
    assert {role: len(side.objects) for role, side in data.sides.items()} == {'train': 3, 'val': 1, 'test': 2}
    (lists / 'test.txt').write_text('not_annotated')
    shutil.rmtree(target)
    target.mkdir()
    data = prepare(root, target)
    assert list(data.sides) == ['train', 'val']
    assert data.lines == [f'left out: {lists}/test.txt: no object, so nothing to test with']


def test_a_coco_file_in_the_folder_of_each_split(tmp_path, target):
    for split in ('train', 'valid'):
        write_folder(tmp_path / split, 'COCO')
        (tmp_path / split / 'labels.json').rename(tmp_path / split / '_annotations.coco.json')
        for path in (tmp_path / split / 'photos').iterdir():
            path.rename(tmp_path / split / path.name)
    data = prepare(tmp_path, target)
    assert data.images == {'train': tmp_path / 'train', 'val': tmp_path / 'valid'}
    assert len(data.sides['val'].objects) == 9
    assert sum('image trained on' in line for line in data.lines) == 1


def test_dirty_data_are_cleaned_and_said(tmp_path, target):
    root = tmp_path / 'data'
    write_folder(root, 'VOC')
    edit = {
        '1': ('<name>cat<', '<name> CAT <'),
        '2': ('<xmax>21<', '<xmax>x<'),
        '4': ('<xmax>21<', '<xmax>4<'),
        '5': ('</annotation>', ''),
    }
    for name, (old, new) in edit.items():
        path = root / f'Annotations/{name}.xml'
        path.write_text(path.read_text().replace(old, new))
    (root / 'JPEGImages/7.jpg').write_bytes(b'')
    data = prepare(root, target)
    assert data.classes == CLASSES
    images = {path.stem: objects.total() for side in data.sides.values() for path, objects in side.objects.items()}
    assert images == {'0': 2, '1': 1, '2': 0, '3': 2, '4': 0, '6': 2, '8': 1}
    said = [': '.join(line.split(': ')[:2]) for line in data.lines]
    assert said == [
        'refused: coordinate (1)',
        'refused: XML file (1)',
        'skipped: image empty (1)',
        'left out: box',
        'repaired: name of a class (1)',
        'noted: image without objects (3)',
    ]


def test_what_cannot_be_told_apart_or_learned_from_is_refused(tmp_path, target):
    root = tmp_path / 'data'
    root.mkdir()
    with pytest.raises(UserError, match='no data set, expected annotations in the layout of VOC, COCO or YOLO'):
        prepare(root, target)
    write_folder(root, 'COCO')
    (root / 'labels.json').rename(root / 'a.json')
    shutil.copy(root / 'a.json', root / 'b.json')
    with pytest.raises(UserError, match='holds a, b, expected at most one with each of train, val, test in its name'):
        prepare(root, target)
    (root / 'a.json').rename(root / 'val.json')
    (root / 'b.json').rename(root / 'test.json')
    with pytest.raises(UserError, match='holds test, val, expected training data too'):
        prepare(root, target)
    (root / 'test.json').unlink()
    (root / 'val.json').write_text('{')
    with pytest.raises(UserError, match='no JSON that parses'):
        prepare(root, target)
    content = {'images': [], 'categories': [], 'annotations': []}
    (root / 'val.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match='expected a list of images'):
        prepare(root, target)
    assert list(target.iterdir()) == []
