"""What is the same for VOC and COCO data: classes, objects and images."""

from pathlib import Path
from typing import Any

import pytest
from annotation_runs import change, checked, refused, repaired, without
from dirty_data import CLASSES, XML, edit_json
from mmengine.config import Config
from PIL import Image


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
    lines = checked(coco, data)
    assert len(lines) == 1
    assert [one.ann_file for one in coco.train_dataloader.dataset.datasets] == [f'{data}/copies/1/train.json'] * 2


def test_remote_and_unknown_data_sets_are_passed_over(coco: Config, data: Path) -> None:
    coco.train_dataloader.dataset.dataset.update(backend_args={'backend': 'petrel'}, ann_file='none.json')
    coco.val_dataloader.dataset.type = 'OpenImagesDataset'
    assert checked(coco, data) == []


def test_the_classes_may_come_from_the_type_or_a_file(voc: Config, data: Path) -> None:
    part = voc.train_dataloader.dataset.dataset
    (data / 'names.txt').write_text('\n'.join(CLASSES))
    part.metainfo.classes = str(data / 'names.txt')
    assert checked(voc, data) == []
    del part['metainfo'], voc.val_dataloader.dataset['metainfo']
    voc.model.bbox_head.num_classes = 20
    for name in 'ab':
        (data / f'Annotations/{name}.xml').write_text(XML.replace('dog', 'unicorn'))
    assert 'expected one of (aeroplane, ' in refused(voc, data)


@pytest.mark.parametrize(
    ('orientation', 'width', 'height', 'warned'),
    [(1, 40, 30, 0), (6, 30, 40, 0), (6, 40, 30, None), (8, 40, 30, None), (3, 40, 30, 1)],
)
def test_a_validation_image_that_exif_turns_is_refused(
    orientation: int, width: int, height: int, warned: Any, coco: Config, data: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new('RGB', (40, 30)).save(data / 'JPEGImages/c.jpg', exif=exif)
    edit_json(data / 'val.json', lambda c: c['images'][0].update(width=width, height=height))
    edit_json(data / 'val.json', lambda c: c['annotations'][0].update(bbox=[1, 1, 2, 2]))
    if warned is not None:
        assert len(repaired(coco, data)[0]) == warned
    else:
        assert refused(coco, data) == (
            f'JPEGImages/c.jpg: Exif orientation {orientation} turns its 40 x 30 pixels, on which its boxes lie, '
            'expected an image saved upright, or turned boxes'
        )


@pytest.mark.parametrize('size', [(80, 60), (30, 40), (40, 31)])
def test_a_validation_image_of_another_size_is_refused(size: tuple, coco: Config, data: Path) -> None:
    edit_json(data / 'val.json', lambda c: c['images'][0].update(width=size[0], height=size[1]))
    assert refused(coco, data) == (
        f'JPEGImages/c.jpg: 40 x 30 pixels, expected {size[0]} x {size[1]}, on which its boxes were annotated'
    )


def test_many_files_are_read_by_several_processes(voc: Config, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('os.cpu_count', lambda: 2)
    names = [f'n{i}' for i in range(150)]
    (data / 'train.txt').write_text('\n'.join(names))
    for name in names:
        (data / f'Annotations/{name}.xml').write_text(XML)
    (data / 'Annotations/n149.xml').write_text('')
    assert refused(voc, data).startswith('Annotations/n149.xml: an empty file')
