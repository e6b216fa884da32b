"""Write ILSVRC DET as COCO files: train + val1 to train on, val2 to test on."""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

from mmdet.evaluation.functional import imagenet_det_classes

from ssd_plugin.errors import UserError

from .files import Progress, expect, expect_count, read_names, write_json
from .synsets import SYNSETS

SOURCE = 'https://image-net.org/challenges/LSVRC/ (DET, an account is needed)'
SPLIT_SOURCE = (
    'http://www.cs.unc.edu/~wliu/projects/SSD/ILSVRC2015_DET_val1_val2.tar.gz (named in data/ILSVRC2016/README.md of '
    'weiliu89/caffe, branch ssd)'
)
VAL2_IMAGES = 9917


def prepare_ilsvrc(root: Path, progress: Progress) -> list[str]:
    """Write ``annotations/det_trainval1.json`` and ``det_val2.json``.

    Images of train and val1 without an annotation file are left out, as the authors do. Corners are taken as they stand
    in the XML files.

    Args:
        root: Folder ``ILSVRC``, with ``Data/DET``, ``Annotations/DET`` and ``ImageSets/DET``.
        progress: Shows how far it is.

    Returns:
        What was written, one line a file.

    Raises:
        UserError: Something is missing, no annotation, or not of a known class.

    Source: ``weiliu89/caffe: data/ILSVRC2016/create_list.py``.
    """
    for part in ('Data', 'Annotations', 'ImageSets'):
        expect(root / part / 'DET', 'folder', SOURCE)
    lists = root / 'ImageSets' / 'DET'
    expect(lists / 'train.txt', 'file', SOURCE)
    for name in ('val1', 'val2'):
        expect(lists / f'{name}.txt', 'file', SPLIT_SOURCE)
    names = {name: read_names(lists / f'{name}.txt') for name in ('train', 'val1', 'val2')}
    expect_count(len(names['val2']), VAL2_IMAGES, str(lists / 'val2.txt'))
    trained = names['train'] + names['val1']
    parts = {
        'trainval1': _collect(root, progress(trained, 'reading train and val1', len(trained)), skip=True),
        'val2': _collect(root, progress(names['val2'], 'reading val2', VAL2_IMAGES), skip=False),
    }
    lines = []
    for name, content in parts.items():
        path = root / 'annotations' / f'det_{name}.json'
        write_json(content, path)
        lines.append(f'{path}: {len(content["images"])} images, {len(content["annotations"])} objects')
    return lines


def _collect(root: Path, names: Iterable[str], skip: bool) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name in names:
        subset = _subset(name)
        source = root / 'Annotations' / 'DET' / subset / f'{name}.xml'
        if skip and not source.is_file():
            continue
        expect(source, 'file', SOURCE)
        file_name = f'{subset}/{name}.JPEG'
        expect(root / 'Data' / 'DET' / file_name, 'file', SOURCE)
        width, height, objects = read_annotation(source)
        images.append({'id': len(images) + 1, 'file_name': file_name, 'width': width, 'height': height})
        for category, (x1, y1, x2, y2) in objects:
            box_width, box_height = x2 - x1, y2 - y1
            annotations.append(
                {
                    'id': len(annotations) + 1,  # pycocotools takes an id of 0 for "not matched"
                    'image_id': len(images),
                    'category_id': category,
                    'bbox': [x1, y1, box_width, box_height],
                    'area': box_width * box_height,
                    'iscrowd': 0,
                }
            )
    categories = [{'id': number, 'name': name} for number, name in enumerate(imagenet_det_classes(), start=1)]
    return {'images': images, 'annotations': annotations, 'categories': categories}


def _subset(name: str) -> str:
    """Find the folder of an image: ILSVRC2014_train_0006/... lies in train, ILSVRC2012_val_00000001 in val."""
    parts = name.split('/')[0].split('_')
    if len(parts) < 2 or parts[1] not in ('train', 'val'):
        raise UserError(f'ImageSets/DET: {name!r}, expected a name such as ILSVRC2012_val_00000001')
    return parts[1]


def read_annotation(path: Path) -> tuple[int, int, list[tuple[int, tuple[float, ...]]]]:
    """Read an XML file of ILSVRC.

    Args:
        path: The file.

    Returns:
        Width and height in pixels, and per object its category 1..200 and its corners xyxy in pixels.

    Raises:
        UserError: It is no annotation, or holds an object of another class.
    """
    try:
        tree = ElementTree.parse(path).getroot()
        size = [int(_text(tree.find(f'size/{side}'))) for side in ('width', 'height')]
        objects = []
        for node in tree.iterfind('object'):
            synset = _text(node.find('name'))
            if synset not in SYNSETS:
                raise UserError(f'{path}: object of {synset!r}, expected one of the 200 synsets of ILSVRC DET')
            corners = tuple(float(_text(node.find(f'bndbox/{edge}'))) for edge in ('xmin', 'ymin', 'xmax', 'ymax'))
            if not all(map(math.isfinite, corners)):
                raise ValueError(f'corners {corners}')
            objects.append((SYNSETS[synset], corners))
    except UserError:
        raise
    except (ElementTree.ParseError, ValueError) as error:
        raise UserError(f'{path}: no annotation ({error}), expected size and objects of ILSVRC') from error
    return size[0], size[1], objects


def _text(node: Optional[ElementTree.Element]) -> str:
    if node is None or not node.text:
        raise ValueError('an entry is missing')
    return node.text
