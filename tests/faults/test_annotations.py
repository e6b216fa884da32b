"""Each fault of annotations: refused in one line, or repaired so that mmdet's readers load what is meant."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dirty_data import BOX, CLASSES, XML, config_of, edit_json, write_data
from mmdet.registry import DATASETS
from mmengine.config import Config
from PIL import Image

from ssd_plugin.datasets.doctor.check_annotations import check_annotations
from ssd_plugin.errors import UserError

LOADERS = ('train_dataloader', 'val_dataloader')
NAN, INF = float('nan'), float('inf')


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_data(tmp_path)
    return tmp_path


@pytest.fixture
def voc(data: Path) -> Config:
    return config_of(data, 'voc')


@pytest.fixture
def coco(data: Path) -> Config:
    return config_of(data, 'coco')


def refused(config: Config, root: Path) -> str:
    with pytest.raises(UserError) as caught:
        check_annotations(config, LOADERS, root / 'copies')
    line = str(caught.value)
    assert '\n' not in line
    assert not (root / 'copies').exists()
    return line.replace(f'{root}/', '')


def repaired(config: Config, root: Path) -> tuple[list[str], list[Any], list[Any]]:
    """The lines, and what mmdet's readers then make of the training and validation data."""
    before = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    lines = check_annotations(config, LOADERS, root / 'copies')
    assert before == {path: path.read_bytes() for path in before}
    parts = config.train_dataloader.dataset.dataset, config.val_dataloader.dataset
    train, val = (
        [[(i['bbox'], i['bbox_label'], i['ignore_flag']) for i in info['instances']] for info in built]
        for built in map(loaded, parts)
    )
    assert all('\n' not in line for line in lines)
    return lines, train, val


def loaded(part: dict) -> list[dict]:
    dataset = DATASETS.build(part)
    return [dataset.get_data_info(i) for i in range(len(dataset))]


OBJECTS = [([2, 3, 19, 24], 0, 0), ([2, 3, 19, 24], 1, 0)]
COCO_OBJECT = ([3, 4, 20, 25], 0, 0)


def test_sound_data_is_left_alone(voc: Config, coco: Config, data: Path) -> None:
    for config, objects in ((voc, OBJECTS), (coco, [COCO_OBJECT])):
        before = config.to_dict()
        assert repaired(config, data) == ([], [objects, objects], [objects])
        assert config.to_dict() == before
    assert not (data / 'copies').exists()


CAT = 'object 1 (cat)'
XML_REFUSED = [
    (XML, '', ' an empty file, expected an annotation of VOC'),
    (XML, XML[:100], ' no XML that parses (unclosed token'),
    (XML, 'hello', ' no XML that parses (syntax error'),
    (XML, '<?xml version="1.0" encoding="none"?><a/>', ' no XML that parses (unknown encoding'),
    (XML, '\x00', ' no XML that parses'),
    ('<name>cat</name>', '', ' object 1: name: missing, expected a class'),
    ('<name>cat</name>', '<name> </name>', ' object 1: name: empty, expected a class'),
    (
        '<name>cat</name>',
        '<name>bird</name>',
        " object 1: name: 'bird', expected one of (cat, dog); list it in",
    ),
    ('<name>dog</name>', '<name>dgo</name>', " object 2: name: 'dgo', expected 'dog', one of (cat, dog); list it"),
    (BOX, '', f' {CAT}: bndbox: missing, expected xmin, ymin, xmax and ymax'),
    ('<xmin>3</xmin>', '', f' {CAT}: bndbox.xmin: missing, expected a number'),
    ('<ymax>25</ymax>', '<ymax/>', f' {CAT}: bndbox.ymax: empty, expected a number'),
    ('<xmax>20</xmax>', '<xmax>2O</xmax>', f" {CAT}: bndbox.xmax: '2O', expected a number"),
    ('<ymin>4</ymin>', '<ymin>4,5</ymin>', f" {CAT}: bndbox.ymin: '4,5', expected a number"),
    ('<difficult>0<', '<difficult>yes<', f" {CAT}: difficult: 'yes', expected 0 or 1"),
]


@pytest.mark.parametrize('name', ['a', 'c'])
@pytest.mark.parametrize(('old', 'new', 'line'), XML_REFUSED)
def test_a_fault_in_an_xml_file_is_named(old: str, new: str, line: str, name: str, voc: Config, data: Path) -> None:
    (data / f'Annotations/{name}.xml').write_text(XML.replace(old, new, 1))
    assert refused(voc, data).startswith(f'Annotations/{name}.xml:{line}')


def test_a_missing_xml_file_is_named(voc: Config, data: Path) -> None:
    (data / 'Annotations/c.xml').unlink()
    assert refused(voc, data) == (
        "Annotations/c.xml: no such file, though val.txt lists 'c', expected an annotation of VOC"
    )


def test_further_faults_are_counted(voc: Config, data: Path) -> None:
    for name in 'ab':
        (data / f'Annotations/{name}.xml').write_text('')
    assert refused(voc, data).endswith(' (and 1 more: tools/check_dataset.py lists them)')


XML_REPAIRED = [
    ('<name>cat<', '<name>\n cat <', OBJECTS),
    ('<name>cat<', '<name>CAT<', OBJECTS),
    ('<difficult>0<', '<difficult><', OBJECTS),
    ('<width>40<', '<width><', OBJECTS),
    ('<width>40<', '<width>0<', OBJECTS),
    ('<width>40<', '<width>40.0<', OBJECTS),
    ('<width>40</width>', '', OBJECTS),
    ('<height>30<', '<height>thirty<', OBJECTS),
    ('<xmin>3<', '<xmin>NaN<', OBJECTS[1:]),
    ('<xmax>20<', '<xmax>inf<', OBJECTS[1:]),
    ('<ymax>25<', '<ymax>-inf<', OBJECTS[1:]),
    ('<ymin>4<', '<ymin>-1e30<', OBJECTS[1:]),
    ('<xmax>20<', '<xmax>1e30<', OBJECTS[1:]),
    ('<xmax>20<', '<xmax>1e999<', OBJECTS[1:]),
]


@pytest.mark.parametrize('name', ['a', 'c'])
@pytest.mark.parametrize(('old', 'new', 'objects'), XML_REPAIRED)
def test_an_xml_file_is_repaired(old: str, new: str, objects: list, name: str, voc: Config, data: Path) -> None:
    (data / f'Annotations/{name}.xml').write_text(XML.replace(old, new, 1))
    (line,), train, val = repaired(voc, data)
    assert f'{data}/Annotations/{name}.xml: ' in line
    assert [train[0], val[0]] == ([objects, OBJECTS] if name == 'a' else [OBJECTS, objects])
    assert train[1] == OBJECTS


@pytest.mark.parametrize(
    ('field', 'line'),
    [
        ('<width>40</width>', 'missing'),
        ('<height>30</height>', 'missing'),
    ],
)
def test_no_size_and_no_image_is_refused(field: str, line: str, voc: Config, data: Path) -> None:
    (data / 'Annotations/a.xml').write_text(XML.replace(field, ''))
    (data / 'JPEGImages/a.jpg').write_bytes(b'')
    assert refused(voc, data).startswith('Annotations/a.xml: size: ')


LISTS = ['a\n\nb\n', '\n\na\nb', 'a \n\tb\n', 'a\r\nb\r\n\r\n', 'a.jpg\nb.jpg\n', 'a.xml\nb.JPG \n']


@pytest.mark.parametrize('text', LISTS)
def test_blanks_and_endings_in_a_list_are_repaired(text: str, voc: Config, data: Path) -> None:
    (data / 'train.txt').write_bytes(text.encode())
    lines, train, _ = repaired(voc, data)
    assert train == [OBJECTS, OBJECTS]
    assert len(lines) == 1
    assert 'name in a list' in lines[0]


def test_a_list_with_windows_line_ends_is_sound(voc: Config, data: Path) -> None:
    (data / 'train.txt').write_bytes(b'a\r\nb\r\n')
    assert repaired(voc, data) == ([], [OBJECTS, OBJECTS], [OBJECTS])


@pytest.mark.parametrize('part', ['train', 'val'])
@pytest.mark.parametrize('text', ['', '\n \n'])
def test_an_empty_list_is_refused(text: str, part: str, voc: Config, data: Path) -> None:
    (data / f'{part}.txt').write_text(text)
    assert refused(voc, data).startswith(f'{part}.txt: no image is listed, expected a name of an image a line')


def test_a_list_that_is_no_text_is_refused(voc: Config, data: Path) -> None:
    (data / 'train.txt').write_bytes(b'\xff\xfe\x00')
    assert 'train.txt: ' in refused(voc, data)


def change(section: str, key: str, value: Any) -> Callable[[dict], Any]:
    return lambda content: content[section][0].update({key: value})


def without(section: str, key: str) -> Callable[[dict], Any]:
    return lambda content: content[section][0].pop(key)


def twice(section: str, **other: Any) -> Callable[[dict], Any]:
    return lambda content: content[section].append({**content[section][0], **other})


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


def test_a_byte_order_mark_is_taken_off(coco: Config, data: Path) -> None:
    path = data / 'train.json'
    path.write_bytes(b'\xef\xbb\xbf' + path.read_bytes())
    lines, train, _ = repaired(coco, data)
    assert len(lines) == 1
    assert train == [[COCO_OBJECT], [COCO_OBJECT]]


@pytest.mark.parametrize('kind', ['voc', 'coco'])
def test_other_classes_may_be_allowed(kind: str, data: Path, request: pytest.FixtureRequest) -> None:
    config = request.getfixturevalue(kind)
    (data / 'Annotations/c.xml').write_text(XML.replace('cat', 'bird'))
    edit_json(data / 'val.json', lambda c: c['categories'].append({'id': 1, 'name': 'bird'}))
    edit_json(data / 'val.json', change('annotations', 'category_id', 1))
    assert refused(config, data).startswith(
        'Annotations/c.xml: object 1' if kind == 'voc' else 'val.json: annotations['
    )
    config.custom_hooks[0].allow_other_classes = True
    assert repaired(config, data)[0] == []


def test_training_without_objects_is_refused(voc: Config, coco: Config, data: Path) -> None:
    line = 'train_dataloader.dataset.dataset: no object of its classes to learn from, expected at least one: '
    edit_json(data / 'train.json', lambda c: c.update(annotations=[]))
    assert refused(coco, data).startswith(line)
    for name in 'ab':
        (data / f'Annotations/{name}.xml').write_text(XML.replace('<xmax>20<', '<xmax>3<'))
    assert refused(voc, data).startswith(line)


def test_crowds_and_boxes_below_a_pixel_are_no_objects(coco: Config, data: Path) -> None:
    edit_json(data / 'train.json', lambda c: [one.update(bbox=[0.1, 0.2, 0.5, 0.5]) for one in c['annotations']])
    assert 'no object of its classes' in refused(coco, data)
    edit_json(data / 'train.json', lambda c: [one.update(bbox=[1, 2, 5, 5], iscrowd=1) for one in c['annotations']])
    assert 'no object of its classes' in refused(coco, data)


IMAGES = [(None, 'no such file'), (b'', '0 bytes'), (b'<html>', 'no image')]


@pytest.mark.parametrize('kind', ['voc', 'coco'])
@pytest.mark.parametrize(('content', 'found'), IMAGES)
def test_a_validation_image_is_looked_at(
    content: Any, found: str, kind: str, data: Path, request: pytest.FixtureRequest
) -> None:
    config = request.getfixturevalue(kind)
    path = data / 'JPEGImages/c.jpg'
    path.unlink() if content is None else path.write_bytes(content)
    assert refused(config, data) == f'JPEGImages/c.jpg: {found}, expected a JPEG, PNG, BMP, WebP or TIFF file'


def test_two_data_sets_of_one_file_share_the_copy(coco: Config, data: Path) -> None:
    edit_json(data / 'train.json', without('annotations', 'area'))
    part = coco.train_dataloader.dataset.dataset
    coco.train_dataloader.dataset = {'type': 'ConcatDataset', 'datasets': [part, {**part}]}
    lines = check_annotations(coco, LOADERS, data / 'copies')
    assert len(lines) == 1
    assert [one.ann_file for one in coco.train_dataloader.dataset.datasets] == [f'{data}/copies/1/train.json'] * 2


def test_remote_and_unknown_data_sets_are_passed_over(coco: Config, data: Path) -> None:
    coco.train_dataloader.dataset.dataset.update(backend_args={'backend': 'petrel'}, ann_file='none.json')
    coco.val_dataloader.dataset.type = 'OpenImagesDataset'
    assert check_annotations(coco, LOADERS, data / 'copies') == []


def test_the_classes_may_come_from_the_type_or_a_file(voc: Config, data: Path) -> None:
    part = voc.train_dataloader.dataset.dataset
    (data / 'names.txt').write_text('\n'.join(CLASSES))
    part.metainfo.classes = str(data / 'names.txt')
    assert check_annotations(voc, LOADERS, data / 'copies') == []
    del part['metainfo']
    for name in 'ab':
        (data / f'Annotations/{name}.xml').write_text(XML.replace('dog', 'unicorn'))
    assert 'expected one of (aeroplane, ' in refused(voc, data)


@pytest.mark.parametrize(
    ('orientation', 'width', 'height', 'sound'),
    [(1, 40, 30, True), (6, 30, 40, True), (6, 40, 30, False), (8, 40, 30, False), (3, 40, 30, True), (1, 4, 3, True)],
)
def test_a_validation_image_that_exif_turns_is_refused(
    orientation: int, width: int, height: int, sound: bool, coco: Config, data: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new('RGB', (40, 30)).save(data / 'JPEGImages/c.jpg', exif=exif)
    edit_json(data / 'val.json', lambda c: c['images'][0].update(width=width, height=height))
    edit_json(data / 'val.json', lambda c: c['annotations'][0].update(bbox=[1, 1, 2, 2]))
    if sound:
        assert repaired(coco, data)[0] == []
    else:
        assert refused(coco, data) == (
            f'JPEGImages/c.jpg: Exif orientation {orientation} turns its 40 x 30 pixels, on which its boxes lie, '
            'expected an image saved upright, or turned boxes'
        )


def test_many_files_are_read_by_several_processes(voc: Config, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('os.cpu_count', lambda: 2)
    names = [f'n{i}' for i in range(150)]
    (data / 'train.txt').write_text('\n'.join(names))
    for name in names:
        (data / f'Annotations/{name}.xml').write_text(XML)
    (data / 'Annotations/n149.xml').write_text('')
    assert refused(voc, data).startswith('Annotations/n149.xml: an empty file')
