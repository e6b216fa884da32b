"""A small data set in VOC's and in COCO's layout, for faults to be put in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config

WIDTH, HEIGHT = 40, 30
CLASSES = ('cat', 'dog')
BOX = '<bndbox><xmin>3</xmin><ymin>4</ymin><xmax>20</xmax><ymax>25</ymax></bndbox>'
XML = (
    f'<annotation><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>'
    f'<object><name>cat</name><difficult>0</difficult>{BOX}</object><object><name>dog</name>{BOX}</object></annotation>'
)


def coco_content(names: list[str]) -> dict[str, Any]:
    return {
        'images': [
            {'id': i, 'file_name': f'{name}.jpg', 'width': WIDTH, 'height': HEIGHT} for i, name in enumerate(names, 1)
        ],
        'categories': [{'id': 7, 'name': 'cat'}, {'id': 9, 'name': 'dog'}],
        'annotations': [
            {'id': i, 'image_id': i, 'category_id': 7, 'bbox': [3, 4, 17, 21], 'area': 357, 'iscrowd': 0}
            for i in range(1, len(names) + 1)
        ],
    }


def write_data(root: Path) -> None:
    """Write JPEGImages, Annotations, and the lists and COCO files of training (a, b) and validation (c)."""
    for folder in ('JPEGImages', 'Annotations'):
        (root / folder).mkdir()
    for name in 'abc':
        cv2.imwrite(str(root / 'JPEGImages' / f'{name}.jpg'), np.full((HEIGHT, WIDTH, 3), 99, np.uint8))
        (root / 'Annotations' / f'{name}.xml').write_text(XML)
    for part, names in (('train', ['a', 'b']), ('val', ['c'])):
        (root / f'{part}.txt').write_text(''.join(f'{name}\n' for name in names))
        (root / f'{part}.json').write_text(json.dumps(coco_content(names)))


def config_of(root: Path, layout: str) -> Config:
    kind, ending, prefix = {
        'voc': ('VOCDataset', 'txt', {'sub_data_root': ''}),
        'coco': ('CocoDataset', 'json', {'img': 'JPEGImages/'}),
    }[layout]
    loaders = {
        part: {
            'type': kind,
            'data_root': str(root),
            'ann_file': f'{part}.{ending}',
            'data_prefix': prefix,
            'metainfo': {'classes': CLASSES},
            'test_mode': part == 'val',
            'pipeline': [],
            'serialize_data': False,  # it collects garbage for half a second
        }
        for part in ('train', 'val')
    }
    return Config(
        {
            'default_scope': 'mmdet',
            'model': {'type': 'ssd_plugin.SSD', 'bbox_head': {'type': 'ssd_plugin.SSDHead', 'num_classes': 2}},
            'train_cfg': {'by_epoch': True, 'max_epochs': 1},
            'val_cfg': {},
            'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.1}},
            'train_dataloader': {'dataset': {'type': 'RepeatDataset', 'times': 2, 'dataset': loaders['train']}},
            'val_dataloader': {'dataset': loaders['val']},
            'val_evaluator': [{'type': 'CocoMetric', 'ann_file': f'{root}/val.{ending}'}],
            'custom_hooks': [{'type': 'ssd_plugin.AnnotationReportHook'}],
        }
    )


def edit_json(path: Path, change: Callable[[dict], Any]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
