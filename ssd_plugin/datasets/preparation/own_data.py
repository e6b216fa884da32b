"""Make training, validation and perhaps test data of a user's folder: cleaned copies of its annotations."""

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ssd_plugin.datasets.doctor.examine import Examined, Progress, by_kind, examine
from ssd_plugin.datasets.doctor.faults import REFUSED
from ssd_plugin.datasets.doctor.images import ON_ITS_SIDE
from ssd_plugin.datasets.doctor.sources import Source, folder_sources
from ssd_plugin.errors import UserError

from .split import choose_validation

_ROLES = ('train', 'val', 'test')


@dataclass(frozen=True)
class Side:
    """Training, validation or test data.

    Attributes:
        settings: What makes mmdet's data set read the cleaned copy of its annotations.
        objects: For each image its number of objects by class.
    """

    settings: dict[str, str]
    objects: dict[Path, Counter[str]]

    @property
    def total(self) -> Counter[str]:
        """Number of objects by class."""
        return sum(self.objects.values(), Counter())


@dataclass(frozen=True)
class OwnData:
    """A folder of the user, ready to train on.

    Attributes:
        layout: 'VOC', 'COCO' or 'YOLO'.
        images: The folder that ``data_root`` (VOC) or ``data_prefix.img`` of each side names, by side.
        classes: Those that have objects, in the order of their labels.
        unused: Those that are named and have none.
        sides: 'train', 'val', and 'test' where the folder has one.
        found_split: Whether the folder's own division was taken.
        lines: What is wrong with annotations and images, a line for each kind of fault.
    """

    layout: str
    images: dict[str, Path]
    classes: tuple[str, ...]
    unused: tuple[str, ...]
    sides: dict[str, Side]
    found_split: bool
    lines: list[str]


def prepare_own_data(folder: Path, target: Path, share: float, seed: int, progress: Progress) -> OwnData:
    """Look through a folder in the layout of VOC, COCO or YOLO and write cleaned, divided copies of its annotations.

    Images are not copied, and nothing is written into the folder. Without validation data the training data are
    divided.

    Args:
        folder: Of the user.
        target: Where to write; a folder that exists.
        share: Share of the images to validate with, where the folder does not say which.
        seed: Of that division.
        progress: Shows how far the look at the images is.

    Returns:
        What was found and written.

    Raises:
        UserError: There are no data, or they are not to be told apart, or nothing can be learned from them.
    """
    roles = _roles(folder, list(folder_sources(folder.absolute())))
    classes = _class_names(roles)
    sources = [replace(source, classes=classes, training=role == 'train') for role, source in roles.items()]
    results = dict(zip(roles, examine(sources, progress)))
    lines = []
    for role, one in list(results.items()):
        if role == 'test' and not one.objects:
            lines.append(f'left out: {one.source.annotations}: no object, so nothing to test with')
            del results[role]
        elif not one.objects:
            refused = [fault.line() for fault in one.faults if fault.behaviour == REFUSED]
            raise UserError(refused[0] if refused else f'{one.source.annotations}: no object, expected at least one')
    sides = {}
    for role, one in results.items():
        if role == 'train' and 'val' not in roles:
            sides.update(_divide(one, target, share, seed))
        else:
            sides[role] = _write(one, target / role, set())
    named = classes or tuple(dict.fromkeys(name for side in sides.values() for name in sorted(side.total)))
    used = {name for side in sides.values() for name in side.total}
    return OwnData(
        layout=_layout(sources[0]),
        images={role: results[role if role in results else 'train'].source.images for role in sides},
        classes=tuple(name for name in named if name in used),
        unused=tuple(name for name in named if name not in used),
        sides={role: sides[role] for role in _ROLES if role in sides},
        found_split='val' in roles,
        lines=lines
        + [
            f'{behaviour}: {kind} ({sum(fault.count for fault in faults)}): {faults[0].line()}'
            for (behaviour, kind), faults in by_kind(fault for one in results.values() for fault in one.faults).items()
        ],
    )


def _roles(folder: Path, sources: Sequence[Source]) -> dict[str, Source]:
    """Tell training, validation and test data by their names."""
    if not sources:
        raise UserError(f'{folder}: no data set, expected annotations in the layout of VOC, COCO or YOLO')
    # COCO's own folder has key points of the same images too.
    sources = [source for source in sources if 'instances' in source.key] or sources
    if len(sources) == 1:
        return {'train': sources[0]}
    roles: dict[str, Source] = {}
    for source in sources:
        role = next((role for role in _ROLES if role in source.key.lower()), None)
        if role is None or role in roles:
            found = ', '.join(one.key for one in sources)
            raise UserError(
                f'{folder}: holds {found}, expected at most one with each of {", ".join(_ROLES)} in its name'
            )
        roles[role] = source
    if 'train' not in roles:
        raise UserError(f'{folder}: holds {", ".join(roles)}, expected training data too')
    return roles


def _class_names(roles: dict[str, Source]) -> tuple[str, ...]:
    """Read the names; of those that differ in case and blanks alone, the most frequent one. None for numbers alone."""
    first = roles['train']
    if first.yolo:
        return first.classes
    names: Counter[str] = Counter()
    if first.xml_folder is not None:
        for path in sorted(first.xml_folder.rglob('*.xml')):
            try:
                root = ElementTree.parse(path).getroot()
            except (ElementTree.ParseError, LookupError, ValueError):
                continue  # The check names it.
            names.update((one.findtext('name') or '').strip() for one in root.findall('object'))
        names = Counter(dict(sorted(names.items())))
    else:
        names.update(_category_names(first.annotations))
    alike: dict[str, str] = {}
    for name, _ in names.most_common():
        alike.setdefault(name.casefold(), name)
    return tuple(name for name in names if name and name in alike.values())


def _category_names(path: Path) -> list[str]:
    try:
        categories = json.loads(path.read_bytes())['categories']
        return [str(one['name']).strip() for one in categories]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []  # The check says why.


def _divide(one: Examined, target: Path, share: float, seed: int) -> dict[str, Side]:
    with TemporaryDirectory() as scratch:
        objects = _write(one, Path(scratch, 'all'), set()).objects
    train_only = {fault.image for fault in one.faults if fault.kind == ON_ITS_SIDE and fault.image}
    validated = choose_validation(objects, one.digests, train_only, share, seed)
    return {
        'train': _write(one, target / 'train', validated),
        'val': _write(one, target / 'val', set(objects) - validated),
    }


def _write(one: Examined, target: Path, without: set[Path]) -> Side:
    target.mkdir()
    settings = one.checked.write_clean(target, one.unusable | without)
    return Side(settings, _objects_of(one.source, settings))


def _objects_of(source: Source, settings: dict[str, str]) -> dict[Path, Counter[str]]:
    """Count the objects of the images of a cleaned copy."""
    annotations = Path(settings['ann_file'])
    if source.xml_folder is not None:
        return {
            source.images / f'{name}.jpg': Counter(
                one.findtext('name', '')
                for one in ElementTree.parse(Path(settings['ann_subdir'], f'{name}.xml')).getroot().findall('object')
            )
            for name in annotations.read_text().splitlines()
        }
    content = json.loads(annotations.read_bytes())
    names = {category['id']: category['name'] for category in content['categories']}
    objects: dict[object, Counter[str]] = {image['id']: Counter() for image in content['images']}
    for annotation in content['annotations']:
        objects[annotation['image_id']][names[annotation['category_id']]] += 1 - annotation['iscrowd']
    return {source.images / image['file_name']: +objects[image['id']] for image in content['images']}


def _layout(source: Source) -> str:
    return 'YOLO' if source.yolo else 'COCO' if source.xml_folder is None else 'VOC'
