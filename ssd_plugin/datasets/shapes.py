"""Writes the embedded data set: pictures of shapes, annotated as COCO JSON and as VOC XML over the same files.

::

    OUT/JPEGImages/000000.jpg ...            the pictures
    OUT/annotations/{train,val}.json         COCO
    OUT/Annotations/000000.xml ...           VOC
    OUT/ImageSets/Main/{train,val}.txt       VOC
    OUT/parameters.json                      what it was made with
"""

import json
import os
import shutil
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional

import cv2
import numpy as np
from numpy.typing import NDArray

from ssd_plugin.errors import UserError

from .shape_scene import CLASSES, ShapeObject, draw_scene

VERSION = 2  # grows when the same parameters draw different pictures
_JPEG_QUALITY = (60, 96)

Progress = Callable[[Iterable['PictureRecord'], int], Iterable['PictureRecord']]


@dataclass(frozen=True)
class ShapesParameters:
    """What decides every byte of the data set.

    Attributes:
        images: Number of pictures.
        width: Of every picture, in pixels.
        height: Of every picture, in pixels.
        seed: Seed of everything random.
        val_fraction: Share of the pictures held out, in [0, 1).

    Raises:
        UserError: If one of them is out of its range.
    """

    images: int = 500
    width: int = 320
    height: int = 240
    seed: int = 0
    val_fraction: float = 0.2

    def __post_init__(self) -> None:
        if not 1 <= self.images <= 999999:
            raise UserError(f'--images is {self.images}, expected 1 to 999999')
        for side in (self.width, self.height):
            if not 64 <= side <= 4096:
                raise UserError(f'--size is {self.width}x{self.height}, expected sides of 64 to 4096 pixels')
        if self.seed < 0:
            raise UserError(f'--seed is {self.seed}, expected 0 or more')
        if not 0 <= self.val_fraction < 1:
            raise UserError(f'--val-fraction is {self.val_fraction:g}, expected 0 or more and less than 1')

    @property
    def train_images(self) -> int:
        """The first so many pictures are for training, the others for validation."""
        return self.images - round(self.images * self.val_fraction)


@dataclass(frozen=True)
class PictureRecord:
    """One written picture: its number and its objects."""

    index: int
    objects: list[ShapeObject]

    @property
    def stem(self) -> str:
        """The file name without its suffix, which is also the VOC image id."""
        return f'{self.index:06d}'


def make_shapes(out: Path, parameters: ShapesParameters, workers: int = 1, progress: Optional[Progress] = None) -> bool:
    """Writes the data set, whole or not at all.

    Args:
        out: Folder to make. Its parent is made when missing.
        parameters: What to draw.
        workers: Number of processes; the result does not depend on it.
        progress: Called with the records as they are drawn and their number; yields them again.

    Returns:
        True if the data set was written, False if ``out`` already held exactly this one.

    Raises:
        UserError: If ``out`` exists and holds something else, or ``workers`` is below 1.
    """
    if workers < 1:
        raise UserError(f'--workers is {workers}, expected 1 or more')
    if _holds(out, parameters):
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f'.{out.name}-', dir=out.parent))
    try:
        _fill(draft, parameters, workers, progress)
        draft.chmod(0o755)
        os.replace(draft, out)
    except BaseException:
        shutil.rmtree(draft)
        raise
    return True


def _signature(parameters: ShapesParameters) -> dict[str, Any]:
    return {**asdict(parameters), 'version': VERSION}


def _holds(out: Path, parameters: ShapesParameters) -> bool:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    record = out / 'parameters.json'
    if not record.is_file():
        raise UserError(f'{out} exists and is not a data set of shapes, expected a new or empty folder')
    found, wanted = json.loads(record.read_text()), _signature(parameters)
    if found != wanted:
        differing = [name for name in wanted if found.get(name) != wanted[name]]
        told = ', '.join(f'{name}={found.get(name)} instead of {wanted[name]}' for name in differing)
        raise UserError(f'{out} holds shapes made with {told}, expected a new folder or the same parameters')
    return True


def _fill(root: Path, parameters: ShapesParameters, workers: int, progress: Optional[Progress]) -> None:
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Main', 'annotations'):
        (root / folder).mkdir(parents=True)
    write = partial(_write_picture, root, parameters)
    if workers == 1:
        drawn: Iterator[PictureRecord] = map(write, range(parameters.images))
        records = list(progress(drawn, parameters.images) if progress else drawn)
    else:
        # OpenCV's own threads would compete with the workers, and do not survive a fork.
        with ProcessPoolExecutor(workers, initializer=cv2.setNumThreads, initargs=(0,)) as pool:
            drawn = pool.map(write, range(parameters.images), chunksize=4)
            records = list(progress(drawn, parameters.images) if progress else drawn)
    parts = {'train': records[: parameters.train_images], 'val': records[parameters.train_images :]}
    for part, members in parts.items():
        (root / 'annotations' / f'{part}.json').write_text(json.dumps(_coco(members, parameters)))
        (root / 'ImageSets' / 'Main' / f'{part}.txt').write_text(''.join(f'{member.stem}\n' for member in members))
    (root / 'parameters.json').write_text(json.dumps(_signature(parameters), indent=2) + '\n')


def _write_picture(root: Path, parameters: ShapesParameters, index: int) -> PictureRecord:
    # The picture's number alone picks its random stream: workers may take the pictures in any order.
    rng = np.random.default_rng(np.random.SeedSequence(parameters.seed, spawn_key=(index,)))
    image, objects = draw_scene(rng, parameters.width, parameters.height)
    record = PictureRecord(index, objects)
    quality = int(rng.integers(*_JPEG_QUALITY))
    (root / 'JPEGImages' / f'{record.stem}.jpg').write_bytes(_encode(image, quality))
    tree = _voc(record, parameters)
    tree.write(root / 'Annotations' / f'{record.stem}.xml', encoding='unicode')
    return record


def _encode(image: NDArray[np.uint8], quality: int) -> bytes:
    _, encoded = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(encoded)


def _coco(records: Sequence[PictureRecord], parameters: ShapesParameters) -> dict[str, Any]:
    images = [
        {
            'id': record.index,
            'file_name': f'{record.stem}.jpg',
            'width': parameters.width,
            'height': parameters.height,
        }
        for record in records
    ]
    annotations: list[dict[str, Any]] = []
    for record in records:
        for found in record.objects:
            x1, y1, x2, y2 = found.box
            annotations.append(
                {
                    'id': len(annotations) + 1,  # pycocotools takes an id of 0 for "not matched"
                    'image_id': record.index,
                    'category_id': found.label + 1,
                    'bbox': [x1, y1, x2 - x1, y2 - y1],
                    'area': (x2 - x1) * (y2 - y1),
                    'iscrowd': 0,
                }
            )
    categories = [{'id': label + 1, 'name': name} for label, name in enumerate(CLASSES)]
    return {
        'info': {'description': 'Shapes', 'version': str(VERSION)},
        'images': images,
        'annotations': annotations,
        'categories': categories,
    }


def _voc(record: PictureRecord, parameters: ShapesParameters) -> 'ElementTree.ElementTree':
    root = ElementTree.Element('annotation')
    _add(root, [('folder', 'JPEGImages'), ('filename', f'{record.stem}.jpg')])
    _add(
        ElementTree.SubElement(root, 'size'),
        [('width', parameters.width), ('height', parameters.height), ('depth', 3)],
    )
    _add(root, [('segmented', 0)])
    for found in record.objects:
        node = ElementTree.SubElement(root, 'object')
        _add(node, [('name', CLASSES[found.label]), ('truncated', int(found.truncated)), ('difficult', 0)])
        # VOC counts pixels from 1; mmdet's reader subtracts it again.
        corners = zip(('xmin', 'ymin', 'xmax', 'ymax'), (edge + 1 for edge in found.box))
        _add(ElementTree.SubElement(node, 'bndbox'), list(corners))
    ElementTree.indent(root)
    return ElementTree.ElementTree(root)


def _add(node: ElementTree.Element, fields: Sequence[tuple[str, Any]]) -> None:
    for tag, value in fields:
        ElementTree.SubElement(node, tag).text = str(value)
