"""Spoilt VOC and COCO annotations: one line, or data that can be learned from; never a traceback, never a hang."""

import json
import os
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import mutate_json
import mutate_xml
import numpy as np
import pytest
from annotation_case import outcome
from dirty_data import CLASSES, XML, coco_content, config_of, write_data
from mutate_bytes import DAMAGE, spoil
from numbered import numbered

from ssd_plugin.datasets.shapes import annotations as drawn
from ssd_plugin.datasets.shapes.scene import draw_scene

REPOSITORY = Path(__file__).parents[2]
BCCD = Path(os.environ.get('BCCD_ROOT', REPOSITORY / '../shared/data/BCCD'))
# The data sets of these cases have two classes; the names of others become these.
OTHERS = {'RBC': 'cat', 'WBC': 'dog', 'Platelets': 'dog', **dict.fromkeys(drawn.CLASSES, 'dog')}


def renamed(text: str) -> bytes:
    for name, other in OTHERS.items():
        text = text.replace(f'>{name}<', f'>{other}<')
    return text.encode()


def records() -> list[drawn.ImageRecord]:
    return [drawn.ImageRecord(i, draw_scene(np.random.default_rng(i), 96, 72)[1]) for i in (1, 2)]


@pytest.fixture(scope='module')
def xml_files() -> list[bytes]:
    shapes = ElementTree.tostring(drawn.voc_tree(records()[0], 96, 72).getroot(), encoding='unicode')
    real = [path.read_text() for path in sorted((BCCD / 'Annotations').glob('*0001.xml'))]
    return [XML.encode(), renamed(shapes), *map(renamed, real)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_data(tmp_path)
    return tmp_path


@numbered(60, 500)
def test_xml(number: int, rng: Random, xml_files: list[bytes], data: Path, record_property: Any) -> None:
    base = rng.randrange(3)
    if base >= len(xml_files):
        pytest.skip(f'BCCD_ROOT: no folder {BCCD}')
    spoilt = spoil(xml_files[base], number, rng, mutate_xml.XML_MUTATIONS, before=mutate_xml.FIRST)
    (data / 'Annotations' / f'{rng.choice("ac")}.xml').write_bytes(spoilt)
    record_property('VOC annotations', outcome(config_of(data, 'voc'), data))


def drawn_coco() -> dict:
    content = drawn.coco_content(records(), 96, 72)
    for image, name in zip(content['images'], 'ab'):
        image['file_name'] = f'{name}.jpg'
    for annotation in content['annotations']:
        annotation['category_id'] = 1 + annotation['category_id'] % 2
        annotation['segmentation'] = [[3, 4, 20, 4, 20, 25]]
    categories = [{'id': i, 'name': name, 'supercategory': 'animal'} for i, name in enumerate(CLASSES, 1)]
    return {'info': {'year': 2026}, **content, 'categories': categories}


@pytest.fixture(scope='module')
def coco_files() -> list[bytes]:
    return [json.dumps(content).encode() for content in (coco_content(['a', 'b']), drawn_coco())]


@numbered(60, 500)
def test_json(number: int, rng: Random, coco_files: list[bytes], data: Path, record_property: Any) -> None:
    base = rng.choice(coco_files)
    spoilt = spoil(base, number, rng, mutate_json.JSON_MUTATIONS, before=mutate_json.FIRST)
    (data / rng.choice(('train.json', 'val.json'))).write_bytes(spoilt)
    record_property('COCO annotations', outcome(config_of(data, 'coco'), data))


NAMES = (
    '',
    ' ',
    'a',
    'a.jpg',
    '../a',
    '/a',
    '.',
    'a/',
    'x' * 300,
    'x' * 5000 + '.jpg',
    'a\0',
    '\u202ea',
    'A',
    'b\tb',
    '-1',
    'c',
)


def strange_name(data: bytes, rng: Random) -> bytes:
    lines = [*data.split(b'\n'), rng.choice(NAMES).encode()] * rng.choice((1, 20))
    rng.shuffle(lines)
    return rng.choice((b'\n', b'\n', b'\r\n', b'\r', b'\x0b', b'\x0c', b'\xe2\x80\xa8')).join(lines)


def recode(data: bytes, rng: Random) -> bytes:
    return data.decode().encode(rng.choice(('utf-16', 'utf-8-sig', 'utf-32')))


@numbered(30, 300)
def test_lists(number: int, rng: Random, data: Path, record_property: Any) -> None:
    path = data / rng.choice(('train.txt', 'val.txt'))
    path.write_bytes(spoil(path.read_bytes(), number, rng, (strange_name, strange_name, recode, *DAMAGE)))
    record_property('lists of images', outcome(config_of(data, 'voc'), data))
