"""The command-line tool, run in this process."""

import json
import os
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from dirty_data import XML, config_of, edit_json, write_data
from mmengine.config import Config

BCCD = Path(os.environ.get('BCCD_ROOT', '../shared/data/BCCD'))
TOOL = Path(__file__).parents[2] / 'tools' / 'check_dataset.py'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sound data, its images told apart by their content."""
    root = tmp_path / 'data'
    root.mkdir()
    write_data(root)
    for shade, name in enumerate('abc'):
        cv2.imwrite(str(root / 'JPEGImages' / f'{name}.jpg'), np.full((30, 40, 3), 50 * shade, np.uint8))
    return root


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Any:
    def run(*arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(TOOL), run_name='__main__')
        printed = capsys.readouterr()
        return int(ended.value.code), printed.out, printed.err

    return run


def config_file(root: Path, layout: str) -> Path:
    path = root.parent / f'{layout}.py'
    config_of(root, layout).dump(path)
    return path


@pytest.mark.parametrize('layout', ['voc', 'coco'])
def test_sound_data_ends_with_0(layout: str, data: Path, run: Any) -> None:
    status, out, _ = run(config_file(data, layout))
    assert status == 0
    objects = {'voc': (4, 2), 'coco': (2, 1)}[layout]
    assert f'| 2 images, {objects[0]} objects |' in out
    assert f'1 images, {objects[1]} objects' in out
    assert str(data) not in out


@pytest.mark.parametrize('layout', ['voc', 'coco'])
def test_a_folder_is_understood(layout: str, data: Path, run: Any) -> None:
    if layout == 'coco':
        shutil.rmtree(data / 'Annotations')
    status, out, _ = run(data)
    assert status == 0
    assert ('3 images, 6 objects' if layout == 'voc' else '2 images, 2 objects') in out
    lists = data / 'ImageSets' / 'Main'
    lists.mkdir(parents=True)
    for name in ('train', 'val', 'trainval'):
        (lists / f'{name}.txt').write_text('a\n' if name == 'train' else 'c\n')
    _, out, _ = run(data)
    assert 'trainval' not in out


def test_json_files_of_other_things_than_boxes_are_passed_over(data: Path, run: Any) -> None:
    shutil.rmtree(data / 'Annotations')
    (data / 'annotations').mkdir()
    shutil.copy(data / 'train.json', data / 'annotations')
    captions = {'images': [{'id': 1, 'file_name': 'a.jpg'}], 'annotations': [{'image_id': 1, 'caption': 'A cat.'}]}
    for name, content in {'captions': captions, 'parameters': {'seed': 0}, 'list': [1]}.items():
        (data / f'{name}.json').write_text(json.dumps(content))
    (data / 'cut.json').write_text('{"images": [')
    status, out, _ = run(data, '--fix', data.parent / 'fixed')
    assert status == 1
    assert all(name not in out for name in ('captions', 'parameters', 'list.json'))
    assert f'{data}/cut.json: no JSON that parses' in out
    assert json.loads((data.parent / 'fixed/annotations/train/train.json').read_text())['images']


def test_faults_of_annotations_and_images_are_listed_and_fixed(data: Path, run: Any) -> None:
    (data / 'Annotations/a.xml').write_text(XML.replace('<xmax>20<', '<xmax>nan<', 1))
    (data / 'JPEGImages/b.jpg').write_bytes(b'')
    shutil.copy(data / 'JPEGImages/a.jpg', data / 'JPEGImages/c.jpg')
    before = {path: path.read_bytes() for path in data.rglob('*') if path.is_file()}
    out_dir = data.parent / 'fixed'
    config = config_file(data, 'voc')
    status, out, _ = run(config, '--json', data.parent / 'faults.json', '--fix', out_dir)
    assert status == 1
    assert before == {path: path.read_bytes() for path in data.rglob('*') if path.is_file()}
    train, val = json.loads((data.parent / 'faults.json').read_text())
    assert [(fault['behaviour'], fault['kind']) for fault in train['faults']] == [
        ('removed', 'box: not finite'),
        ('skipped', 'image empty'),
    ]
    assert [(fault['behaviour'], fault['kind']) for fault in val['faults']] == [('suspect', 'image trained on')]
    for fault in train['faults'] + val['faults']:
        assert fault['line'] in out
        assert fault['kind'] in out
    copy = out_dir / 'train_dataloader.dataset.dataset'
    assert (copy / 'train.txt').read_text() == 'a\n'
    assert (copy / 'Annotations/a.xml').read_text().count('<object>') == 1
    assert f'train_dataloader.dataset.dataset.ann_file={copy}/train.txt' in out
    status, _, err = run(config, '--fix', out_dir)
    assert (status, err) == (
        2,
        f'error: {out_dir}: exists already, expected a new or empty folder for the cleaned copy\n',
    )


def test_a_fixed_coco_file_is_sound(data: Path, run: Any) -> None:
    shutil.rmtree(data / 'Annotations')
    edit_json(data / 'train.json', lambda c: c['annotations'][0].update(bbox=[1, 1, 0, 5]))
    edit_json(data / 'train.json', lambda c: c['annotations'].append({'image_id': 99}))
    (data / 'val.json').unlink()
    (data / 'JPEGImages/b.jpg').unlink()
    assert run(data, '--fix', data.parent / 'fixed')[0] == 1
    content = json.loads((data.parent / 'fixed/train/train.json').read_text())
    assert [image['id'] for image in content['images']] == [1]
    assert content['annotations'] == []


def test_a_folder_of_yolo_is_fixed_into_coco_files(data: Path, run: Any) -> None:
    root = data.parent / 'yolo'
    for name, line in (('a', '0 0.5 0.5 0.2 0.4'), ('b', '3 0.5 0.5 0.2 0.4')):
        for folder in ('images', 'labels'):
            (root / name / folder).mkdir(parents=True)
        shutil.copy(data / 'JPEGImages/c.jpg', root / name / f'images/{name}.jpg')
        (root / name / 'labels' / f'{name}.txt').write_text(line)
    (root / 'data.yaml').write_text('names: [cat, dog]')
    copy = data.parent / 'fixed'
    status, out, _ = run(root, '--fix', copy)
    assert status == 1
    assert f'{root}/b/labels/b.txt: line 1: 3, expected 0 to 1, of (cat, dog)' in out
    assert f'a config reads it with in its data set type=CocoDataset data_root= ann_file={copy}/a/annotations' in out
    content = json.loads((copy / 'a/annotations.json').read_text())
    assert [annotation['bbox'] for annotation in content['annotations']] == [[16, 9, 8, 12]]
    config = Config.fromfile(config_file(data, 'coco'))
    settings = dict(pair.split('=') for pair in out.splitlines()[-2].partition(' in its data set ')[2].split())
    config.merge_from_dict({f'val_dataloader.dataset.{key}': value for key, value in settings.items()})
    config.dump(data.parent / 'copy.py')
    status, out, _ = run(data.parent / 'copy.py')
    assert status == 0, out
    assert '| val_dataloader.dataset           | 1 images, 1 objects' in out


def test_the_worst_cases_are_drawn(data: Path, run: Any) -> None:
    sheet = data.parent / 'worst.png'
    assert run(data, '--picture', sheet)[0] == 0
    assert not sheet.exists()
    (data / 'Annotations/a.xml').write_text(XML.replace('<xmax>20<', '<xmax>3<', 1))
    assert run(data, '--picture', sheet)[0] == 1
    assert cv2.imread(str(sheet)).shape == (436, 500, 3)
    for option in ('--picture', '--json'):
        line = f'error: {data}/none/a.png: {data}/none is no folder, expected one to write into\n'
        assert run(data, option, data / 'none/a.png')[::2] == (2, line)
    assert run(data, '--picture', 'worst.gif')[::2] == (
        2,
        'error: --picture worst.gif: expected a name that ends in .png or .jpg\n',
    )


def test_images_without_objects_are_noted_and_training_without_any_is_refused(data: Path, run: Any) -> None:
    (data / 'Annotations/a.xml').write_text('<annotation/>')
    status, out, _ = run(config_file(data, 'voc'))
    assert status == 0
    assert 'image without objects' in out
    (data / 'Annotations/b.xml').write_text('<annotation/>')
    status, out, _ = run(config_file(data, 'voc'))
    assert status == 1
    assert f'{data}/train.txt: no object to learn from, expected at least one' in out


def test_a_folder_without_annotations_is_refused(tmp_path: Path, run: Any) -> None:
    assert run(tmp_path)[::2] == (
        2,
        f'error: {tmp_path}: no data set, expected annotations in the layout of VOC, COCO or YOLO\n',
    )


@pytest.mark.skipif(not BCCD.is_dir(), reason=f'BCCD_ROOT: no folder {BCCD}')
def test_real_data_with_two_boxes_without_area(run: Any, tmp_path: Path) -> None:
    status, out, _ = run(BCCD, '--json', tmp_path / 'faults.json', '--picture', tmp_path / 'worst.png')
    assert status == 1
    found = {one['data_set']: one for one in json.loads((tmp_path / 'faults.json').read_text())}
    assert {key: (one['images'], one['objects']) for key, one in found.items()} == {
        'train': (205, 2804),
        'val': (87, 1137),
        'test': (72, 945),
    }
    faults = [fault for one in found.values() for fault in one['faults']]
    assert {(fault['kind'], fault['place']) for fault in faults} == {
        ('box: zero or negative width or height', 'object 4: bndbox'),
        ('box: zero or negative width or height', 'object 13: bndbox'),
    }
    assert all(fault['line'] in out for fault in faults)
    assert cv2.imread(str(tmp_path / 'worst.png')) is not None
