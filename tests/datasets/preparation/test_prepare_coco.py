import json

import pytest

from ssd_plugin.datasets.preparation import prepare_coco
from ssd_plugin.errors import UserError

# Number of the image -> numbers of its objects.
OBJECTS = {9: [1, 2], 4: [], 7: [3], 2: [4]}


def content(images):
    return dict(
        info=dict(year=2014),
        images=[dict(id=image, file_name=f'COCO_val2014_{image:012}.jpg') for image in images],
        annotations=[dict(id=found, image_id=image, area=found) for image in images for found in OBJECTS[image]],
        categories=[dict(id=1, name='person')],
    )


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare_coco, 'MINIVAL_IMAGES', 2)
    monkeypatch.setattr(prepare_coco, 'VALMINUSMINIVAL_IMAGES', 2)
    for folder in ('train2014', 'val2014', 'annotations'):
        (tmp_path / folder).mkdir()
    files = dict(train2014='{}', val2014=json.dumps(content(OBJECTS)), val2017=json.dumps(content([9, 4])))
    for name, text in files.items():
        (tmp_path / 'annotations' / f'instances_{name}.json').write_text(text)
    return tmp_path


def read(root, name):
    return json.loads((root / 'annotations' / f'instances_{name}.json').read_text())


def test_published_numbers():
    assert (prepare_coco.MINIVAL_IMAGES, prepare_coco.VALMINUSMINIVAL_IMAGES) == (5000, 40504 - 5000)


def test_val2014_is_divided(root, progress):
    lines = prepare_coco.prepare_coco(root, progress)
    assert read(root, 'minival2014') == content([9, 4])
    assert read(root, 'valminusminival2014') == content([7, 2])
    assert [line.rpartition('/')[2] for line in lines] == [
        'instances_minival2014.json: 2 images, 2 objects',
        'instances_valminusminival2014.json: 2 images, 2 objects',
    ]
    assert progress.shown == [('reading COCO', 2), ('writing COCO', 2)]


@pytest.mark.parametrize(
    ('place', 'message'),
    [
        ('annotations/instances_val2017.json', r'expected a file from .* \(annotations_trainval2017\.zip\)'),
        ('annotations/instances_train2014.json', r'expected a file from .* \(annotations_trainval2014\.zip\)'),
    ],
)
def test_what_is_missing_is_named(root, progress, place, message):
    (root / place).unlink()
    with pytest.raises(UserError, match=message):
        prepare_coco.prepare_coco(root, progress)


def test_no_images(root, progress):
    (root / 'val2014').rmdir()
    with pytest.raises(UserError, match=r'val2014 does not exist, expected a folder from https://cocodataset'):
        prepare_coco.prepare_coco(root, progress)


def test_other_numbers_of_images_write_nothing(root, progress, monkeypatch):
    monkeypatch.setattr(prepare_coco, 'VALMINUSMINIVAL_IMAGES', 3)
    with pytest.raises(UserError, match=r'^instances_valminusminival2014\.json to be written: 2 images, expected 3'):
        prepare_coco.prepare_coco(root, progress)
    assert not (root / 'annotations' / 'instances_minival2014.json').exists()


@pytest.mark.parametrize(
    ('text', 'message'),
    [('{', r'val2014\.json: no JSON'), ('{"images": []}', r'val2014\.json: no images, annotations')],
)
def test_no_coco_file(root, progress, text, message):
    (root / 'annotations' / 'instances_val2014.json').write_text(text)
    with pytest.raises(UserError, match=message):
        prepare_coco.prepare_coco(root, progress)


def test_images_that_are_not_in_val2014():
    with pytest.raises(UserError, match=r'lacks 2 images of instances_val2017\.json \(3, \.\.\.\)'):
        prepare_coco.split(content([9, 4]), {9, 3, 5})


def test_nothing_to_divide():
    empty, all_of_it = prepare_coco.split(content(OBJECTS), set())
    assert (empty['images'], empty['annotations']) == ([], [])
    assert all_of_it == content(OBJECTS)
