"""Small drawn data sets in the folders of VOC and COCO, for the configs of the paper."""

import json
import shutil
from pathlib import Path

from mmdet.datasets import CocoDataset

from ssd_plugin.datasets.shapes.make_shapes import ShapesParameters, make_shapes

# Classes of both data sets, in place of the shapes'.
NAMES = {'circle': 'bicycle', 'square': 'bird', 'triangle': 'bus', 'star': 'car', 'ring': 'cat', 'cross': 'dog'}


def write_voc_and_coco(root: Path) -> None:
    """Write ``root/voc`` (VOC2007 and VOC2012) and ``root/coco`` (2014 and 2017), of the same four images."""
    shapes = root / 'shapes'
    make_shapes(shapes, ShapesParameters(4, 96, 72, val_fraction=0.5))
    for year, lists in ((2007, ('trainval', 'test')), (2012, ('trainval', 'val', 'test'))):
        _write_voc(shapes, root / 'voc' / f'VOC{year}', lists)
    coco = root / 'coco'
    (coco / 'annotations').mkdir(parents=True)
    for folder in ('train2014', 'val2014', 'train2017', 'val2017', 'test2017'):
        shutil.copytree(shapes / 'JPEGImages', coco / folder)
    for part, sets in (
        ('train', ('train2014', 'train2017')),
        ('val', ('valminusminival2014', 'minival2014', 'val2017')),
    ):
        content = json.loads((shapes / 'annotations' / f'{part}.json').read_text())
        ids = {name: number for number, name in enumerate(CocoDataset.METAINFO['classes'], 1)}
        own = {category['id']: ids[NAMES[category['name']]] for category in content['categories']}
        for annotation in content['annotations']:
            annotation['category_id'] = own[annotation['category_id']]
        content['categories'] = [{'id': number, 'name': name} for name, number in ids.items()]
        for name in sets:
            (coco / 'annotations' / f'instances_{name}.json').write_text(json.dumps(content))
    del content['annotations']
    (coco / 'annotations' / 'image_info_test-dev2017.json').write_text(json.dumps(content))


def _write_voc(shapes: Path, folder: Path, lists: tuple[str, ...]) -> None:
    shutil.copytree(shapes / 'JPEGImages', folder / 'JPEGImages')
    for part in ('Annotations', 'ImageSets/Main'):
        (folder / part).mkdir(parents=True)
    for path in (shapes / 'Annotations').iterdir():
        text = path.read_text()
        for shape, name in NAMES.items():
            text = text.replace(f'<name>{shape}</name>', f'<name>{name}</name>')
        (folder / 'Annotations' / path.name).write_text(text)
    for name in lists:
        part = 'train' if 'train' in name else 'val'
        shutil.copy(shapes / 'ImageSets' / 'Main' / f'{part}.txt', folder / 'ImageSets' / 'Main' / f'{name}.txt')
