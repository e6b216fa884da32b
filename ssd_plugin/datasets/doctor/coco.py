"""Look through a COCO annotation file."""

import gc
import json
from collections import Counter
from collections.abc import Collection, Hashable
from pathlib import Path
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ssd_plugin.datasets.class_names import format_class_names
from ssd_plugin.datasets.transforms.filtering import NOT_FINITE, invalid_boxes
from ssd_plugin.whole_file import whole_file

from .class_matching import expected_class, match_class
from .coco_fields import ANNOTATION, CATEGORY, IMAGE, Fields, is_size, place_of, problem_of
from .faults import LEFT_OUT, NOTED, REFUSED, REMOVED, REPAIRED, Checked, Fault, ImageEntry
from .sources import Source

SMALL = 'less than a pixel wide or high'

# Records and their places in the section.
_Records = list[tuple[int, dict[str, Any]]]


def check_coco(source: Source) -> Checked:
    """Check an annotation file.

    Args:
        source: A COCO data set.

    Returns:
        What was found.
    """
    # Looking for garbage among millions of records that all live takes two fifths of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _Check(source).run()
    finally:
        if collecting:
            gc.enable()


def unusable_boxes(boxes: NDArray[np.float64], width: Any, height: Any) -> dict[str, NDArray[np.bool_]]:
    """Find the boxes that mmdet's reader of COCO files or training passes over, each under its first reason.

    Args:
        boxes: (M, 4) numbers, xyxy in pixels.
        width: Image width in pixels, a number or (M,).
        height: Image height in pixels, a number or (M,).

    Returns:
        For every reason a (M,) bool mask; a box is in at most one of them.
    """
    reasons = invalid_boxes(boxes, width, height)
    small = ((boxes[:, 2:] - boxes[:, :2]) < 1).any(axis=1)
    return {**reasons, SMALL: small & ~np.any(list(reasons.values()), axis=0)}


class _Check:
    """The check of one file, which cleans its content as it goes."""

    def __init__(self, source: Source) -> None:
        self.source, self.path = source, str(source.annotations)
        self.faults: list[Fault] = []
        self.content: dict[str, Any] = {'images': [], 'categories': [], 'annotations': []}

    def run(self) -> Checked:
        content = self._read()
        if content is None:
            return Checked([], self.faults, self._write_clean)
        self.content = content
        images = self._records('images', IMAGE, ('id',))
        categories = self._records('categories', CATEGORY, ('id', 'name'))
        self._check_classes(categories)
        annotations = self._records('annotations', ANNOTATION, ())
        by_id = {image['id']: image for _, image in images}
        annotations = self._referring(annotations, set(by_id), {one['id']: one['name'] for _, one in categories})
        self._repair_ids(annotations)
        annotations = self._repair_fields(annotations)
        annotations, objects = self._usable(annotations, by_id)
        self.content.update(
            images=[image for _, image in images],
            categories=[category for _, category in categories],
            annotations=[annotation for _, annotation in annotations],
        )
        entries = [
            ImageEntry(self.source.images / image['file_name'], image['width'], image['height'], objects[image['id']])
            for _, image in images
        ]
        return Checked(entries, self.faults, self._write_clean)

    def _write_clean(self, folder: Path, without: Collection[Path]) -> dict[str, str]:
        images = [one for one in self.content['images'] if self.source.images / one['file_name'] not in without]
        ids = {image['id'] for image in images}
        annotations = [one for one in self.content['annotations'] if one['image_id'] in ids]
        target = folder / self.source.annotations.name
        with whole_file(target) as draft:
            json.dump({**self.content, 'images': images, 'annotations': annotations}, draft)
        return {'ann_file': str(target.absolute())}

    def _fault(self, behaviour: str, kind: str, place: str, found: str, expected: str, count: int = 1) -> None:
        self.faults.append(Fault(behaviour, kind, self.path, place, found, expected, count))

    def _read(self) -> Optional[dict[str, Any]]:
        try:
            data = self.source.annotations.read_bytes()
            encoding = json.detect_encoding(data)
            content = json.loads(data.decode(encoding))
        except (OSError, ValueError, RecursionError) as error:
            found = f'no JSON that parses ({error})'
            if self.source.annotations.is_file() and not self.source.annotations.stat().st_size:
                found = 'an empty file'
        else:
            if isinstance(content, dict):
                if encoding != 'utf-8':
                    self._fault(REPAIRED, 'encoding', '', f'in {encoding}', 'UTF-8 without a byte order mark')
                return content
            found = f'holds a {type(content).__name__}'
        self._fault(REFUSED, 'JSON file', '', found, 'an object with images, annotations and categories')
        return None

    def _records(self, section: str, fields: Fields, unique: tuple[str, ...]) -> _Records:
        """Give the records of a section that have all fields, and their places; refuse the others."""
        records = self.content.get(section)
        if not isinstance(records, list) or not (records or section == 'annotations'):
            # Without objects the images can still be predicted on, as COCO's test-dev.
            predicted_on = section == 'annotations' and section not in self.content and not self.source.training
            behaviour = NOTED if predicted_on else REFUSED
            found = f'{records!r:.40}' if section in self.content else 'missing'
            self._fault(behaviour, f'no {section}', section, found, f'a list of {section}')
            return []
        kept = []
        first: dict[tuple[str, Any], int] = {}
        for i, record in enumerate(records):
            problem = problem_of(record, fields)
            for key in unique if problem is None else ():
                j = first.setdefault((key, record[key]), i)
                if j != i:
                    problem = key, f'{record[key]!r}, which {section}[{j}] has too', 'another one for each'
            if problem is None:
                kept.append((i, record))
            else:
                key, found, expected = problem
                self._fault(
                    REFUSED, f'{section}: {key or "record"}', place_of(section, i, record, key), found, expected
                )
        return kept

    def _check_classes(self, categories: _Records) -> None:
        """Rename categories to the classes they mean, and hold those of the data set to its order."""
        classes = self.source.classes
        if not classes:
            return
        names = {category['name'] for _, category in categories}
        for i, category in categories:
            name = category['name']
            meant = match_class(name, classes)
            if meant is not None and meant not in names:
                self._fault(REPAIRED, 'name of a class', f'categories[{i}].name', f'{name!r}', f'{meant!r}')
                category['name'] = meant
                names.add(meant)
        listed = tuple(category['name'] for _, category in categories if category['name'] in classes)
        if listed != classes and categories:
            found = format_class_names(category['name'] for _, category in categories)
            expected = f"the data set's classes in their order, {format_class_names(classes)}"
            self._fault(REFUSED, 'categories', 'categories', found, expected)

    def _referring(self, annotations: _Records, image_ids: set[Any], names: dict[Any, str]) -> _Records:
        """Give the annotations whose image and category the file has."""
        kept = []
        others: dict[Any, list[int]] = {}
        classes = set(self.source.classes) or set(names.values())
        for i, annotation in annotations:
            category = annotation['category_id']
            for key, known in (('image_id', image_ids), ('category_id', names)):
                if annotation[key] not in known:
                    expected = f'the id of one of the {"images" if key == "image_id" else "categories"} of the file'
                    place = place_of('annotations', i, annotation, key)
                    self._fault(REFUSED, f'stray {key}', place, f'{annotation[key]!r}', expected)
                    break
            else:
                kept.append((i, annotation))
                if names[category] not in classes:
                    others.setdefault(category, []).append(i)
        self._others = set(others)
        for category, places in others.items():
            self._fault(
                NOTED if self.source.other_classes else REFUSED,
                'other class',
                f'annotations[{places[0]}].category_id',
                f'{category!r} ({names[category]})',
                expected_class(names[category], self.source.classes),
                len(places),
            )
        return kept

    def _repair_ids(self, annotations: _Records) -> None:
        """Give all annotations new ids where an id is missing or not unique."""
        ids = Counter(str(annotation.get('id')) for _, annotation in annotations)
        # The matching of pycocotools takes an object with the id 0 for none at all.
        start = 0 if self.source.training else 1
        wrong = [
            i
            for i, annotation in annotations
            if type(annotation.get('id')) is not int or annotation['id'] < start or ids[str(annotation['id'])] > 1
        ]
        if not wrong:
            return
        found = f'{self.content["annotations"][wrong[0]].get("id", "missing")!r}'
        expected = f'a number of its own from {start} on; all are numbered anew'
        self._fault(REPAIRED, 'annotations: id', f'annotations[{wrong[0]}].id', found, expected, len(wrong))
        for number, (_, annotation) in enumerate(annotations, 1):
            annotation['id'] = number

    def _repair_fields(self, annotations: _Records) -> _Records:
        """Fill in area and iscrowd, and give the annotations whose iscrowd can be told."""
        kept = []
        repaired: dict[str, list[tuple[int, Any]]] = {'area': [], 'iscrowd': []}
        for i, annotation in annotations:
            area, crowd = annotation.get('area'), annotation.get('iscrowd')
            if crowd is None:
                repaired['iscrowd'].append((i, crowd))
                annotation['iscrowd'] = 0
            elif crowd not in (0, 1):
                place = place_of('annotations', i, annotation, 'iscrowd')
                self._fault(REFUSED, 'annotations: iscrowd', place, f'{crowd!r}', '0 or 1')
                continue
            width, height = annotation['bbox'][2:]
            if not is_size(area):
                annotation['area'] = width * height
                # A box without an area has none to be filled in.
                if min(width, height) > 0:
                    repaired['area'].append((i, area))
            kept.append((i, annotation))
        for (key, places), value in zip(repaired.items(), ('width * height of its bbox', '0')):
            if places:
                i, found = places[0]
                found = 'missing' if found is None else f'{found!r}'
                expected = f'a number; taken as {value}'
                self._fault(REPAIRED, f'annotations: {key}', f'annotations[{i}].{key}', found, expected, len(places))
        return kept

    def _usable(self, annotations: _Records, images: dict[Any, dict[str, Any]]) -> tuple[_Records, Counter[Hashable]]:
        """Give the annotations with a box that can be learned from, and the number of objects of each image."""
        boxes = np.array([annotation['bbox'] for _, annotation in annotations], dtype=np.float64).reshape(-1, 4)
        shown_on = [images[annotation['image_id']] for _, annotation in annotations]
        sizes = np.array([(image['width'], image['height']) for image in shown_on], dtype=np.float64)
        width, height = sizes.reshape(-1, 2).T
        boxes[:, 2:] += boxes[:, :2]
        reasons = unusable_boxes(boxes, width, height)
        for reason, mask in reasons.items():
            for place in np.flatnonzero(mask):
                i, annotation = annotations[place]
                self.faults.append(
                    Fault(
                        REMOVED if reason == NOT_FINITE else LEFT_OUT,
                        f'box: {reason}',
                        self.path,
                        place_of('annotations', i, annotation, 'bbox'),
                        f'{reason} {annotation["bbox"]}',
                        f'a box inside {width[place]:g} x {height[place]:g} pixels',
                        image=self.source.images / shown_on[place]['file_name'],
                        box=None if reason == NOT_FINITE else tuple(boxes[place].tolist()),
                    )
                )
        usable = ~np.any(list(reasons.values()), axis=0)
        kept = [annotations[place] for place in np.flatnonzero(usable)]
        return kept, Counter(
            annotation['image_id']
            for _, annotation in kept
            if not annotation['iscrowd'] and annotation['category_id'] not in self._others
        )
