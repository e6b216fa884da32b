"""Look through the annotations of a VOC data set: a list of names, and an XML file for each."""

import math
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from os.path import isfile  # Path.is_file() raises for a name that is too long
from pathlib import Path
from typing import Optional

import numpy as np

from ssd_plugin.datasets.transforms.filtering import NOT_FINITE, invalid_boxes
from ssd_plugin.whole_file import place_named, whole_file

from .class_matching import expected_class, match_class
from .faults import LEFT_OUT, NOTED, REFUSED, REMOVED, REPAIRED, Checked, Fault, ImageEntry
from .images import shown_size
from .parallel import spread
from .sources import Source

_COORDINATES = ('xmin', 'ymin', 'xmax', 'ymax')
# Widths and heights of so many digits are no image's; of thousands of them Python makes no number at all.
_DIGITS = 10
_IMAGE_SUFFIXES = {'.jpg', '.jpeg', '.png', '.bmp', '.xml'}


@dataclass(frozen=True)
class _XmlFile:
    entry: ImageEntry
    faults: list[Fault]
    usable: bool  # a cleaned copy leaves out the others
    clean: Optional[bytes] = None  # None: as it is


def check_voc(source: Source) -> Checked:
    """Check the list, its XML files and that each image has a file.

    Args:
        source: A VOC data set; its XML files are read by several processes.

    Returns:
        What was found. Images of validation data have to be there and not empty; of training data the doctor tells.
    """
    assert source.xml_folder is not None
    xml_folder = source.xml_folder
    names, faults = _read_list(source)
    files = list(spread(partial(_check_xml, source), names))
    kept = [(name, file) for name, file in zip(names, files) if file.usable]
    faults += [fault for file in files for fault in file.faults]

    def write_clean(folder: Path, without: Collection[Path]) -> dict[str, str]:
        clean = [(name, file) for name, file in kept if file.entry.path not in without]
        annotations = folder / 'Annotations'
        annotations.mkdir(exist_ok=True)
        for name, file in clean:
            target = annotations / f'{name}.xml'
            target.parent.mkdir(parents=True, exist_ok=True)
            # Not flushed one by one, which takes minutes on a busy disk: nothing reads them before the list is written.
            with place_named(target):
                target.write_bytes(file.clean or (xml_folder / f'{name}.xml').read_bytes())
        listed = folder / f'{source.annotations.stem}.txt'  # a folder of annotations without lists gets one too
        with whole_file(listed) as draft:
            draft.writelines(f'{name}\n' for name, _ in clean)
        return {
            'ann_file': str(listed.absolute()),
            'ann_subdir': str(annotations.absolute()),
        }

    return Checked([file.entry for file in files], faults, write_clean)


def _read_list(source: Source) -> tuple[list[str], list[Fault]]:
    assert source.xml_folder is not None
    path = str(source.annotations)
    if source.annotations == source.xml_folder:
        return sorted(file.stem for file in source.xml_folder.glob('*.xml')), []
    try:
        with source.annotations.open(encoding='utf-8') as file:
            # As mmdet's reader does, where str.splitlines() knows further ends of lines.
            lines = [line.rstrip('\n') for line in file]
    except (OSError, UnicodeDecodeError) as error:
        return [], [Fault(REFUSED, 'unreadable list', path, '', f'{error}', 'a list of image names')]
    names: list[str] = []
    faults = []
    for number, line in enumerate(lines, 1):
        name = line.strip()
        suffix = Path(name).suffix
        if suffix.lower() in _IMAGE_SUFFIXES and not isfile(source.xml_folder / f'{name}.xml'):
            name = name[: -len(suffix)]
        if not name or name != line:
            faults.append(
                Fault(
                    REPAIRED, 'name in a list', path, f'line {number}', f'{line!r}', f'{name!r}' if name else 'a name'
                )
            )
        if Path(name).is_absolute() or '..' in Path(name).parts:
            # A copy of its XML file would lie outside the copy, perhaps in the place of the original.
            expected = f'a name below {source.xml_folder}'
            faults.append(Fault(REFUSED, 'name in a list', path, f'line {number}', f'{name!r}', expected))
        elif name:
            names.append(name)
    twice = [name for name, count in Counter(names).items() if count > 1]
    faults += [Fault(NOTED, 'name listed twice', path, name, 'listed more than once', 'once') for name in twice]
    if not names:
        faults.append(Fault(REFUSED, 'empty list', path, '', 'no image is listed', 'a name of an image a line'))
    return names, faults


def _check_xml(source: Source, name: str) -> _XmlFile:
    assert source.xml_folder is not None
    path = source.xml_folder / f'{name}.xml'
    image = source.images / f'{name}.jpg'
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except (OSError, ElementTree.ParseError, LookupError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            found = f'no such file, though {source.annotations} lists {name!r}'
        else:
            found = 'an empty file' if isfile(path) and not path.stat().st_size else f'no XML that parses ({error})'
        fault = Fault(REFUSED, 'XML file', str(path), '', found, 'an annotation of VOC')
        return _XmlFile(ImageEntry(image, None, None, 0), [fault], usable=False)
    check = _Check(source, str(path), image, root)
    check.run()
    entry = ImageEntry(image, check.width, check.height, check.objects)
    try:
        clean = ElementTree.tostring(root, encoding='utf-8') if check.changed else None
    except RecursionError:  # it reads more levels than it writes
        found = 'elements within elements, hundreds of levels deep'
        fault = Fault(REFUSED, 'XML file', str(path), '', found, 'an annotation of VOC')
        return _XmlFile(entry, [*check.faults, fault], usable=False)
    return _XmlFile(entry, check.faults, check.width is not None, clean)


class _Check:
    """The check of one parsed file, which cleans the tree as it goes."""

    def __init__(self, source: Source, path: str, image: Path, root: ElementTree.Element) -> None:
        self.source, self.path, self.image, self.root = source, path, image, root
        self.width: Optional[int] = None
        self.height: Optional[int] = None
        self.objects = 0
        self.changed = False
        self.faults: list[Fault] = []

    def run(self) -> None:
        self._size()
        kept = []
        for number, element in enumerate(self.root.findall('object'), 1):
            box = self._object(number, element)
            if box is not None:
                kept.append((number, element, box))
        boxes = np.array([box for *_, box in kept], dtype=np.float64).reshape(-1, 4)
        width, height = self.width or math.inf, self.height or math.inf
        unusable = np.zeros(len(kept), dtype=bool)
        for reason, mask in invalid_boxes(boxes, width, height).items():
            unusable |= mask
            for i in np.flatnonzero(mask):
                number, element, box = kept[i]
                behaviour, shown = (REMOVED, None) if reason == NOT_FINITE else (LEFT_OUT, tuple(box))
                size = f'a box inside {self.width} x {self.height} pixels'
                self._fault(behaviour, f'box: {reason}', f'object {number}: bndbox', f'{reason} {box}', size, shown)
                self._remove(element)
        self.objects = int((~unusable).sum())

    def _fault(
        self, behaviour: str, kind: str, place: str, found: str, expected: str, box: Optional[tuple[float, ...]] = None
    ) -> None:
        self.faults.append(Fault(behaviour, kind, self.path, place, found, expected, image=self.image, box=box))

    def _remove(self, element: ElementTree.Element) -> None:
        self.root.remove(element)
        self.changed = True

    def _size(self) -> None:
        """Drop a size that mmdet cannot read: without one it takes the image's."""
        size = self.root.find('size')
        values = [] if size is None else [(size.findtext(side) or '').strip() for side in ('width', 'height')]
        if values and all(value.isdecimal() and len(value) < _DIGITS and int(value) > 0 for value in values):
            self.width, self.height = map(int, values)
            return
        shown = shown_size(self.image)
        if shown is None:
            self._fault(
                REFUSED, 'size', 'size', f'{values or "missing"} and no readable image {self.image}', 'width and height'
            )
            return
        self.width, self.height = shown
        if size is not None:
            self._fault(REPAIRED, 'size', 'size', f'{values}', f'{self.width} and {self.height}, as the image has')
            self._remove(size)

    def _object(self, number: int, element: ElementTree.Element) -> Optional[list[float]]:
        """Check the fields of an object; return its box as mmdet reads it, or None if it cannot be used."""
        place = f'object {number}'
        name = element.findtext('name') or ''
        if not name.strip():
            self._fault(REFUSED, 'name missing', f'{place}: name', _missing(element, 'name'), 'a class')
            self._remove(element)
            return None
        meant = match_class(name, self.source.classes) if self.source.classes else name.strip()
        if meant is None:
            behaviour = NOTED if self.source.other_classes else REFUSED
            expected = expected_class(name, self.source.classes)
            self._fault(behaviour, 'other class', f'{place}: name', f'{name!r}', expected)
            return None
        if meant != name:
            self._fault(REPAIRED, 'name of a class', f'{place}: name', f'{name!r}', f'{meant!r}')
            self._set(element, 'name', meant)
        box = self._box(f'{place} ({meant})', element)
        if box is None or not self._difficult(f'{place} ({meant})', element):
            self._remove(element)
            return None
        return box

    def _box(self, place: str, element: ElementTree.Element) -> Optional[list[float]]:
        bndbox = element.find('bndbox')
        if bndbox is None:
            self._fault(REFUSED, 'bndbox missing', f'{place}: bndbox', 'missing', 'xmin, ymin, xmax and ymax')
            return None
        box = []
        for key in _COORDINATES:
            text = (bndbox.findtext(key) or '').strip()
            try:
                value = float(text)
            except ValueError:
                found = repr(text) if text else _missing(bndbox, key)
                self._fault(REFUSED, 'coordinate', f'{place}: bndbox.{key}', found, 'a number')
                return None
            # mmdet's reader drops the fraction and counts from 0.
            box.append(float(int(value) - 1) if math.isfinite(value) else value)
        return box

    def _difficult(self, place: str, element: ElementTree.Element) -> bool:
        if element.find('difficult') is None:
            return True
        text = (element.findtext('difficult') or '').strip()
        if not text:
            self._fault(REPAIRED, 'difficult empty', f'{place}: difficult', 'empty', '0 or 1; taken as 0')
            self._set(element, 'difficult', '0')
        elif text not in ('0', '1'):
            self._fault(REFUSED, 'difficult', f'{place}: difficult', f'{text!r}', '0 or 1')
            return False
        return True

    def _set(self, element: ElementTree.Element, key: str, text: str) -> None:
        field = element.find(key)
        assert field is not None
        field.text = text
        self.changed = True


def _missing(element: ElementTree.Element, key: str) -> str:
    return 'missing' if element.find(key) is None else 'empty'
