"""A user's folder of images, no two alike, in the layout of VOC, COCO or YOLO and without a split."""

import json
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 40, 30
CLASSES = ('cat', 'dog')


def classes_of(number: int) -> tuple[str, ...]:
    """A cat on every image, and a dog on every third."""
    return CLASSES if number % 3 == 0 else CLASSES[:1]


def write_folder(root: Path, layout: str, images: int = 9) -> None:
    """Write images 0.jpg, 1.jpg, ... with one object each, and a second one on every third."""
    folder = root / {'VOC': 'JPEGImages', 'COCO': 'photos', 'YOLO': 'images'}[layout]
    folder.mkdir(parents=True)
    for number in range(images):
        pixels = np.full((HEIGHT, WIDTH, 3), 10 * number, np.uint8)
        cv2.imwrite(str(folder / f'{number}.jpg'), cv2.rectangle(pixels, (3, 4), (19, 24), (200, 99, 99), -1))
    {'VOC': _write_voc, 'COCO': _write_coco, 'YOLO': _write_yolo}[layout](root, images)


def _write_voc(root: Path, images: int) -> None:
    (root / 'Annotations').mkdir()
    box = '<bndbox><xmin>4</xmin><ymin>5</ymin><xmax>21</xmax><ymax>26</ymax></bndbox>'
    size = f'<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>'
    for number in range(images):
        objects = ''.join(f'<object><name>{name}</name>{box}</object>' for name in classes_of(number))
        (root / f'Annotations/{number}.xml').write_text(f'<annotation>{size}{objects}</annotation>')


def _write_coco(root: Path, images: int) -> None:
    found = [(number, name) for number in range(images) for name in classes_of(number)]
    content = {
        'images': [
            {'id': number, 'file_name': f'{number}.jpg', 'width': WIDTH, 'height': HEIGHT} for number in range(images)
        ],
        'categories': [{'id': 3, 'name': 'animal'}, {'id': 5, 'name': 'cat'}, {'id': 9, 'name': 'dog'}],
        'annotations': [
            {'id': i, 'image_id': number, 'category_id': 5 + 4 * CLASSES.index(name), 'bbox': [3, 4, 17, 21]}
            for i, (number, name) in enumerate(found, 1)
        ],
    }
    (root / 'labels.json').write_text(json.dumps(content))


def _write_yolo(root: Path, images: int) -> None:
    (root / 'labels').mkdir()
    (root / 'data.yaml').write_text('names: [cat, dog, bird]')
    for number in range(images):
        lines = [f'{CLASSES.index(name)} 0.2875 0.4833 0.425 0.7' for name in classes_of(number)]
        (root / f'labels/{number}.txt').write_text('\n'.join(lines))
