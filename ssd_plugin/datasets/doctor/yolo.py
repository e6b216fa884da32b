"""Look through a YOLO data set: a folder of images and one of text files, with a line for each object.

mmdet has no reader for it; the cleaned copy is a COCO file.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Optional

import numpy as np

from ssd_plugin.datasets.class_names import format_class_names
from ssd_plugin.datasets.transforms.filtering import NOT_FINITE
from ssd_plugin.whole_file import whole_file

from .coco import unusable_boxes
from .faults import LEFT_OUT, NOTED, REFUSED, REMOVED, REPAIRED, Checked, Fault, ImageEntry
from .images import shown_size
from .parallel import spread
from .sources import Source

_SUFFIXES = {'.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp'}
_LINE = 'class cx cy width height, or class x1 y1 x2 y2 x3 y3 ... of a polygon'
# What rounding may add to a whole side.
_LARGEST_SHARE = 1.01


@dataclass(frozen=True)
class _Labels:
    entry: ImageEntry
    faults: list[Fault]
    has_file: bool
    objects: list[tuple[int, list[float]]]  # class, and x, y, width, height in pixels


def check_yolo(source: Source) -> Checked:
    """Check the label files of all images.

    Args:
        source: A YOLO data set; its label files are read by several processes.

    Returns:
        What was found. Boxes of an image whose size cannot be read are not looked at.
    """
    images = sorted(path for path in source.images.rglob('*') if path.suffix.lower() in _SUFFIXES)
    found = list(spread(partial(_check_labels, source), images))
    faults = [fault for one in found for fault in one.faults]
    bare = [str(one.entry.path) for one in found if not one.has_file]
    if bare:
        expected = 'one, empty if the image is meant as background'
        faults.append(Fault(NOTED, 'no label file', bare[0], '', 'no label file', expected, len(bare)))
    labelled = {_label_file(source, image) for image in images}
    for path in sorted(source.annotations.rglob('*.txt')):
        if path not in labelled and path.name != 'classes.txt':
            faults.append(Fault(LEFT_OUT, 'no image', str(path), '', f'no image in {source.images}', 'one of its name'))
    if not images:
        faults.append(Fault(REFUSED, 'no images', str(source.images), '', 'no image', 'images'))
    used = {number for one in found for number, _ in one.objects}
    names = dict(enumerate(source.classes)) or {number: str(number) for number in sorted(used)}

    def write_clean(folder: Path, without: Collection[Path]) -> dict[str, str]:
        target = folder / 'annotations.json'
        kept = [one for one in found if one.entry.width is not None and one.entry.path not in without]
        with whole_file(target) as draft:
            json.dump(_as_coco(source, names, kept), draft)
        # A command line would lose the blanks of the names.
        with whole_file(folder / 'classes.txt') as draft:
            draft.writelines(f'{name}\n' for name in names.values())
        return {
            'type': 'CocoDataset',
            'data_root': '',
            'ann_file': str(target.absolute()),
            'data_prefix.img': str(source.images.absolute()),
            'metainfo.classes': str((folder / 'classes.txt').absolute()),
        }

    return Checked([one.entry for one in found], faults, write_clean)


def _label_file(source: Source, image: Path) -> Path:
    return source.annotations / image.relative_to(source.images).with_suffix('.txt')


def _check_labels(source: Source, image: Path) -> _Labels:
    path, size = _label_file(source, image), shown_size(image)
    width, height = size or (None, None)
    check = _Check(source, str(path), image)
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except FileNotFoundError:
        return _Labels(ImageEntry(image, width, height, 0), [], False, [])
    except (OSError, UnicodeDecodeError) as error:
        check.fault(REFUSED, 'label file', '', f'{error}', 'lines of text')
        lines = []
    parsed = [check.parse(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if check.polygons:
        expected = 'a box; taken around it'
        check.fault(REPAIRED, 'polygon', check.polygons[0], 'a polygon', expected, count=len(check.polygons))
    objects = [] if size is None else check.usable([one for one in parsed if one is not None], size)
    return _Labels(ImageEntry(image, width, height, len(objects)), check.faults, True, objects)


class _Check:
    """The check of one label file."""

    def __init__(self, source: Source, path: str, image: Path) -> None:
        self.source, self.path, self.image = source, path, image
        self.faults: list[Fault] = []
        self.seen: set[str] = set()
        self.polygons: list[str] = []

    def fault(self, behaviour: str, kind: str, place: str, found: str, expected: str, **more: Any) -> None:
        self.faults.append(Fault(behaviour, kind, self.path, place, found, expected, image=self.image, **more))

    def parse(self, number: int, line: str) -> Optional[tuple[str, int, list[float]]]:
        """Give the place of an object, its class and its x1, y1, x2, y2 as shares of the image; None without any."""
        place, fields = f'line {number}', line.split()
        try:
            class_number, *numbers = map(float, fields)
        except ValueError:
            numbers = []
        if len(numbers) != 4 and (len(numbers) < 6 or len(numbers) % 2):
            self.fault(REFUSED, 'line of a label file', place, f'{line!r:.80}', _LINE)
            return None
        classes = self.source.classes
        if class_number < 0 or not class_number.is_integer() or (classes and class_number >= len(classes)):
            expected = f'0 to {len(classes) - 1}, of {format_class_names(classes)}' if classes else 'a whole number'
            self.fault(REFUSED, 'class', place, fields[0], expected)
            return None
        if ' '.join(fields) in self.seen:
            self.fault(REPAIRED, 'object given twice', place, repr(line), 'another object')
            return None
        self.seen.add(' '.join(fields))
        wrong = next((text for text, value in zip(fields[1:], numbers) if value < 0 or value > _LARGEST_SHARE), None)
        if wrong is not None:
            self.fault(REFUSED, 'box in other units', place, wrong, "a share of the image's side, from 0 to 1")
            return None
        if len(numbers) > 4:
            self.polygons.append(place)
            xs, ys = numbers[::2], numbers[1::2]
            return place, int(class_number), [min(xs), min(ys), max(xs), max(ys)]
        cx, cy, width, height = numbers
        return place, int(class_number), [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2]

    def usable(
        self, objects: list[tuple[str, int, list[float]]], size: tuple[int, int]
    ) -> list[tuple[int, list[float]]]:
        """Give class and x, y, width, height in pixels of the objects that can be learned from."""
        boxes = np.array([box for *_, box in objects], dtype=np.float64).reshape(-1, 4) * [*size, *size]
        reasons = unusable_boxes(boxes, *size)
        for reason, mask in reasons.items():
            for i in np.flatnonzero(mask):
                box = tuple(boxes[i].round(2).tolist())
                behaviour, shown = (REMOVED, None) if reason == NOT_FINITE else (LEFT_OUT, box)
                expected = f'a box inside {size[0]} x {size[1]} pixels'
                self.fault(behaviour, f'box {reason}', objects[i][0], f'{reason} {list(box)}', expected, box=shown)
        xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        kept = np.flatnonzero(~np.any(list(reasons.values()), axis=0))
        return [(objects[i][1], xywh[i].tolist()) for i in kept]


def _as_coco(source: Source, names: dict[int, str], found: list[_Labels]) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for one in found:
        name = one.entry.path.relative_to(source.images).as_posix()
        image = {'id': len(images) + 1, 'file_name': name, 'width': one.entry.width, 'height': one.entry.height}
        images.append(image)
        for number, box in one.objects:
            annotation = {'image_id': image['id'], 'category_id': number, 'bbox': box, 'area': box[2] * box[3]}
            annotations.append({'id': len(annotations) + 1, **annotation, 'iscrowd': 0})
    categories = [{'id': number, 'name': name} for number, name in names.items()]
    return {'images': images, 'categories': categories, 'annotations': annotations}
