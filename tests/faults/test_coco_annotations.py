"""Each fault of COCO annotations: refused in one line, or repaired so that mmdet's reader loads what is meant."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from annotation_runs import COCO_OBJECT, INF, NAN, change, refused, repaired, twice, without
from dirty_data import edit_json
from mmengine.config import Config

EMPTY = ' an empty file, expected an object with images, annotations and categories'
JSON_TEXTS = [
    ('', EMPTY),
    ('{"images": [', ' no JSON that parses (Expecting value'),
    ('[]', ' holds a list, expected'),
    ('3', ' holds a int, expected'),
    ('<a/>', ' no JSON that parses'),
    ('[' * 100_000, ' no JSON that parses'),
]
ANNOTATION = ' annotations[0] (id 1).'
JSON_REFUSED = [
    (lambda c: c.pop('images'), ' images: missing, expected a list of images'),
    (lambda c: c.update(images=[]), ' images: [], expected a list of images'),
    (lambda c: c.update(images={'1': 2}), " images: {'1': 2}, expected a list of images"),
    (lambda c: c.update(images=[3]), ' images[0]: 3, expected an object'),
    (lambda c: c.pop('categories'), ' categories: missing, expected a list of categories'),
    (lambda c: c.pop('annotations'), ' annotations: missing, expected a list of annotations'),
    (lambda c: c.update(annotations=None), ' annotations: None, expected a list of annotations'),
    (lambda c: c['annotations'].insert(0, 'x'), " annotations[0]: 'x', expected an object"),
    (without('images', 'id'), ' images[0].id: missing, expected a number'),
    (without('images', 'file_name'), ' images[0] (id 1).file_name: missing, expected the name of an image file'),
    (change('images', 'file_name', ''), " images[0] (id 1).file_name: '', expected the name of an image file"),
    (without('images', 'width'), ' images[0] (id 1).width: missing, expected pixels'),
    (without('images', 'height'), ' images[0] (id 1).height: missing, expected pixels'),
    (change('images', 'width', 0), ' images[0] (id 1).width: 0, expected pixels'),
    (change('images', 'width', '40'), " images[0] (id 1).width: '40', expected pixels"),
    (change('images', 'height', NAN), ' images[0] (id 1).height: nan, expected pixels'),
    (twice('images'), '.id: 1, which images[0] has too, expected another one for each'),
    (without('categories', 'id'), ' categories[0].id: missing, expected a number'),
    (without('categories', 'name'), ' categories[0] (id 7).name: missing, expected the name of a class'),
    (twice('categories', name='x'), ' categories[2].id: 7, which categories[0] has too, expected another one for each'),
    (twice('categories', id=8), " categories[2] (id 8).name: 'cat', which categories[0] has too, expected another"),
    (lambda c: c['categories'].reverse(), " categories: (dog, cat), expected the data set's classes in their order"),
    (lambda c: c['categories'].pop(), " categories: (cat), expected the data set's classes in their order, (cat, dog)"),
    (change('categories', 'name', 'catt'), " categories: (catt, dog), expected the data set's classes in their order"),
    (without('annotations', 'bbox'), f'{ANNOTATION}bbox: missing, expected [x, y, width, height]'),
    (change('annotations', 'bbox', None), f'{ANNOTATION}bbox: None, expected [x, y, width, height]'),
    (change('annotations', 'bbox', []), f'{ANNOTATION}bbox: [], expected [x, y, width, height]'),
    (change('annotations', 'bbox', [1, 2, 3]), f'{ANNOTATION}bbox: [1, 2, 3], expected [x, y, width, height]'),
    (
        change('annotations', 'bbox', ['1', 2, 3, 4]),
        f"{ANNOTATION}bbox: ['1', 2, 3, 4], expected [x, y, width, height]",
    ),
    (without('annotations', 'image_id'), f'{ANNOTATION}image_id: missing, expected the id of an image'),
    (change('annotations', 'image_id', 99), f'{ANNOTATION}image_id: 99, expected the id of one of the images of'),
    (without('annotations', 'category_id'), f'{ANNOTATION}category_id: missing, expected the id of a category'),
    (change('annotations', 'category_id', 8), f'{ANNOTATION}category_id: 8, expected the id of one of the categories'),
    (change('annotations', 'category_id', [7]), f'{ANNOTATION}category_id: [7], expected the id of a category'),
    (change('annotations', 'bbox', [1, 1, 10**400, 5]), f'{ANNOTATION}bbox: [1, 1, 100'),
    (change('images', 'width', 10**400), ' images[0] (id 1).width: 100'),
    (
        change('categories', 'name', '\ud83d'),
        " categories: (\\ud83d, dog), expected the data set's classes in their order",
    ),
    (
        change('annotations', 'image_id', 'x' * 9999),
        f"{ANNOTATION}image_id: '{'x' * 399}..., expected the id of one of",
    ),
    (change('annotations', 'iscrowd', 'no'), f"{ANNOTATION}iscrowd: 'no', expected 0 or 1"),
]


@pytest.mark.parametrize('part', ['train', 'val'])
@pytest.mark.parametrize(('text', 'line'), JSON_TEXTS)
def test_a_broken_json_file_is_named(text: str, line: str, part: str, coco: Config, data: Path) -> None:
    (data / f'{part}.json').write_text(text)
    assert refused(coco, data).startswith(f'{part}.json:{line}')


@pytest.mark.parametrize('part', ['train', 'val'])
@pytest.mark.parametrize(('edit', 'line'), JSON_REFUSED)
def test_a_fault_in_a_coco_file_is_named(edit: Callable, line: str, part: str, coco: Config, data: Path) -> None:
    edit_json(data / f'{part}.json', edit)
    if part == 'val' and 'annotations: missing' in line:
        assert repaired(coco, data)[2] == [[]]  # as COCO's test images, which have none
        return
    found = refused(coco, data)
    assert found.startswith(f'{part}.json:')
    assert line in found


JSON_REPAIRED = [
    (without('annotations', 'area'), [COCO_OBJECT]),
    (change('annotations', 'area', None), [COCO_OBJECT]),
    (change('annotations', 'area', 0), [COCO_OBJECT]),
    (change('annotations', 'area', NAN), [COCO_OBJECT]),
    (without('annotations', 'iscrowd'), [COCO_OBJECT]),
    (without('annotations', 'id'), [COCO_OBJECT]),
    (change('annotations', 'id', 'one'), [COCO_OBJECT]),
    (twice('annotations'), [COCO_OBJECT, COCO_OBJECT]),
    (change('categories', 'name', 'Cat '), [COCO_OBJECT]),
    (twice('annotations', id=77, bbox=[NAN, 1, 5, 5]), [COCO_OBJECT]),
    (twice('annotations', id=77, bbox=[1, 1, INF, 5]), [COCO_OBJECT]),
    (twice('annotations', id=77, bbox=[1, 1, 1e30, 5]), [COCO_OBJECT]),
]


@pytest.mark.parametrize('part', ['train', 'val'])
@pytest.mark.parametrize(('edit', 'objects'), JSON_REPAIRED)
def test_a_coco_file_is_repaired(edit: Callable, objects: list, part: str, coco: Config, data: Path) -> None:
    edit_json(data / f'{part}.json', edit)
    (line,), train, val = repaired(coco, data)
    assert f'{data}/{part}.json: ' in line
    assert [train[0], val[0]] == ([objects, [COCO_OBJECT]] if part == 'train' else [[COCO_OBJECT], objects])
    metric = Path(coco.val_evaluator[0].ann_file)
    assert metric == data / ('val.json' if part == 'train' else 'copies/2/val.json')
    assert all({'id', 'area', 'iscrowd'} <= set(one) for one in json.loads(metric.read_text())['annotations'])


def test_an_object_of_id_zero_is_renumbered_for_validation(coco: Config, data: Path) -> None:
    for part in ('train', 'val'):
        edit_json(data / f'{part}.json', change('annotations', 'id', 0))
    (line,), *_ = repaired(coco, data)
    assert 'val.json: annotations[0].id: 0, expected a number of its own from 1 on; all are numbered anew' in line


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'utf-16-be', 'utf-32-le'])
def test_another_encoding_than_utf_8_is_repaired(encoding: str, coco: Config, data: Path) -> None:
    path = data / 'train.json'
    path.write_bytes(path.read_text().encode(encoding))
    (line,), train, _ = repaired(coco, data)
    assert f'in {encoding}, expected UTF-8 without a byte order mark' in line
    assert train == [[COCO_OBJECT], [COCO_OBJECT]]
