"""Write the embedded data set: images of shapes, annotated as COCO JSON and as VOC XML over the same files.

::

    OUT/JPEGImages/000000.jpg ...            the images
    OUT/annotations/{train,val}.json         COCO
    OUT/Annotations/000000.xml ...           VOC
    OUT/ImageSets/Main/{train,val}.txt       VOC
    OUT/parameters.json                      what it was made with
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional

import cv2
import numpy as np
from numpy.typing import NDArray

from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import place_named
from ssd_plugin.worker_pool import worker_pool

from .annotations import ImageRecord, coco_content, voc_tree
from .scene import draw_scene

VERSION = 2  # grows when the same parameters draw different images
_JPEG_QUALITY = (60, 96)

Progress = Callable[[Iterable['ImageRecord'], int], Iterable['ImageRecord']]


@dataclass(frozen=True)
class ShapesParameters:
    """What decides every byte of the data set.

    Attributes:
        images: Number of images.
        width: Of every image, in pixels.
        height: Of every image, in pixels.
        seed: Seed of everything random.
        val_fraction: Share of the images held out, in [0, 1).

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
        """Number of images to train on, the first ones; the others are held out."""
        return self.images - round(self.images * self.val_fraction)


def make_shapes(out: Path, parameters: ShapesParameters, workers: int = 1, progress: Optional[Progress] = None) -> bool:
    """Write the data set, whole or not at all.

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
        with place_named(out):
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
    wanted = _signature(parameters)
    try:
        found = json.loads(record.read_text())
    except ValueError as error:
        raise UserError(f'{record}: no JSON ({error}), expected a new or empty folder') from error
    if not isinstance(found, dict):
        raise UserError(f'{record}: holds a {type(found).__name__}, expected a new or empty folder')
    if found != wanted:
        differing = [name for name in wanted if found.get(name) != wanted[name]]
        told = ', '.join(f'{name}={found.get(name)} instead of {wanted[name]}' for name in differing)
        raise UserError(f'{out} holds shapes made with {told}, expected a new folder or the same parameters')
    return True


def _fill(root: Path, parameters: ShapesParameters, workers: int, progress: Optional[Progress]) -> None:
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Main', 'annotations'):
        (root / folder).mkdir(parents=True)
    write = partial(_write_image, root, parameters)
    if workers == 1:
        drawn: Iterator[ImageRecord] = map(write, range(parameters.images))
        records = list(progress(drawn, parameters.images) if progress else drawn)
    else:
        # OpenCV's own threads would compete with the workers, and do not survive a fork.
        with worker_pool(workers, partial(cv2.setNumThreads, 0)) as pool:
            drawn = pool.map(write, range(parameters.images), chunksize=4)
            records = list(progress(drawn, parameters.images) if progress else drawn)
    parts = {'train': records[: parameters.train_images], 'val': records[parameters.train_images :]}
    for part, members in parts.items():
        info = {'description': 'Shapes', 'version': str(VERSION)}
        content = {'info': info, **coco_content(members, parameters.width, parameters.height)}
        (root / 'annotations' / f'{part}.json').write_text(json.dumps(content))
        (root / 'ImageSets' / 'Main' / f'{part}.txt').write_text(''.join(f'{member.stem}\n' for member in members))
    (root / 'parameters.json').write_text(json.dumps(_signature(parameters), indent=2) + '\n')


def _write_image(root: Path, parameters: ShapesParameters, index: int) -> ImageRecord:
    # The image's number alone picks its random stream: workers may take the images in any order.
    rng = np.random.default_rng(np.random.SeedSequence(parameters.seed, spawn_key=(index,)))
    image, objects = draw_scene(rng, parameters.width, parameters.height)
    record = ImageRecord(index, objects)
    quality = int(rng.integers(*_JPEG_QUALITY))
    (root / 'JPEGImages' / f'{record.stem}.jpg').write_bytes(_encode(image, quality))
    tree = voc_tree(record, parameters.width, parameters.height)
    tree.write(root / 'Annotations' / f'{record.stem}.xml', encoding='unicode')
    return record


def _encode(image: NDArray[np.uint8], quality: int) -> bytes:
    _, encoded = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(encoded)
