"""Look through a data set's annotations: count unusable boxes, refuse classes that the data set does not list."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import mmengine
import numpy as np
from mmdet.datasets import CocoDataset, XMLDataset
from numpy.typing import NDArray

from ssd_plugin.errors import UserError

from .class_names import format_class_names
from .transforms.filtering import REASONS, invalid_boxes

_FILES_NAMED = 3


@dataclass(frozen=True)
class AnnotationReport:
    """Summary of a data set's annotations.

    Attributes:
        images: Images looked at.
        boxes: Boxes looked at.
        unusable: Number of unusable boxes by reason of ``filtering.REASONS``; reasons without boxes are left out.
        files: The files with unusable boxes: XML files, or images of a COCO file.
    """

    images: int
    boxes: int
    unusable: Mapping[str, int]
    files: tuple[str, ...]

    def line(self) -> Optional[str]:
        """Say in one line what is unusable.

        Returns:
            The line, or None if every box is usable.
        """
        if not self.files:
            return None
        count, reasons = sum(self.unusable.values()), ', '.join(f'{key}: {n}' for key, n in self.unusable.items())
        files = ', '.join(self.files[:_FILES_NAMED]) + (', ...' if len(self.files) > _FILES_NAMED else '')
        boxes = '1 box of' if count == 1 else f'{count} boxes of'
        images = '1 image' if len(self.files) == 1 else f'{len(self.files)} images'
        return f'{boxes} {images} {"is" if count == 1 else "are"} unusable and left out ({reasons}): {files}'


@dataclass(frozen=True)
class _Image:
    file: str
    boxes: NDArray[np.float64]  # (M, 4)
    width: float
    height: float


def scan(dataset: Any, allow_other_classes: bool = False) -> AnnotationReport:
    """Look at every annotation of a data set.

    The boxes are those the data set yields, except of a COCO file, where mmdet drops the unusable ones silently:
    there they are those of the file.

    Args:
        dataset: A built data set of mmdet, or wrappers around some.
        allow_other_classes: Whether annotations may be of a class the data set does not list, which mmdet leaves out.

    Returns:
        The summary.

    Raises:
        UserError: An annotation is of a class the data set does not list, or a COCO file's categories are not in the
            order of the classes, so that mmdet would give labels the wrong names.
    """
    images = boxes = 0
    unusable: Counter[str] = Counter()
    files: list[str] = []
    for part in _unwrapped(dataset):
        for image in _images(part, allow_other_classes):
            found = {
                key: int(mask.sum()) for key, mask in invalid_boxes(image.boxes, image.width, image.height).items()
            }
            unusable.update(found)
            if any(found.values()):
                files.append(image.file)
            images += 1
            boxes += len(image.boxes)
    return AnnotationReport(images, boxes, {key: unusable[key] for key in REASONS if unusable[key]}, tuple(files))


def _unwrapped(dataset: Any) -> Iterator[Any]:
    if hasattr(dataset, 'datasets'):
        for part in dataset.datasets:
            yield from _unwrapped(part)
    elif hasattr(dataset, 'dataset'):
        yield from _unwrapped(dataset.dataset)
    else:
        yield dataset


def _images(dataset: Any, allow_other_classes: bool) -> Iterator[_Image]:
    if isinstance(dataset, CocoDataset):
        return _coco_images(dataset, allow_other_classes)
    if isinstance(dataset, XMLDataset) and not allow_other_classes:
        _check_xml_classes(dataset)
    return _yielded_images(dataset)


def _yielded_images(dataset: Any) -> Iterator[_Image]:
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        boxes = [instance['bbox'] for instance in info['instances']]
        name = f'{dataset.ann_subdir}/{info["img_id"]}.xml' if isinstance(dataset, XMLDataset) else info['img_path']
        yield _Image(name, np.array(boxes, dtype=np.float64).reshape(-1, 4), info['width'], info['height'])


def _check_xml_classes(dataset: XMLDataset) -> None:
    folder = Path(dataset.sub_data_root, dataset.ann_subdir)
    # The list is read again, because mmdet leaves out images whose every object is of another class.
    for image_id in mmengine.list_from_file(dataset.ann_file, backend_args=dataset.backend_args):
        path = folder / f'{image_id}.xml'
        for name in ElementTree.parse(path).getroot().iterfind('object/name'):
            if name.text not in dataset.metainfo['classes']:
                raise _other_class(str(path), str(name.text), dataset.metainfo['classes'])


def _coco_images(dataset: CocoDataset, allow_other_classes: bool) -> Iterator[_Image]:
    content = mmengine.load(dataset.ann_file, file_format='json', backend_args=dataset.backend_args)
    classes = tuple(dataset.metainfo['classes'])
    names = {category['id']: category['name'] for category in content['categories']}
    boxes: dict[Any, list[Any]] = {image['id']: [] for image in content['images']}
    for annotation in content.get('annotations', []):
        name = names.get(annotation['category_id'], f'category_id {annotation["category_id"]}')
        if name not in classes:
            if allow_other_classes:
                continue
            raise _other_class(dataset.ann_file, name, classes)
        boxes[annotation['image_id']].append(annotation['bbox'])
    listed = tuple(name for name in names.values() if name in classes)
    if listed != classes:
        raise UserError(
            f"{dataset.ann_file}: its categories are {format_class_names(listed)}, expected the data set's classes in "
            f'their order, {format_class_names(classes)}'
        )
    for image in content['images']:
        xywh = np.array(boxes[image['id']], dtype=np.float64).reshape(-1, 4)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        yield _Image(image['file_name'], xyxy, image['width'], image['height'])


def _other_class(path: str, name: str, classes: Iterable[str]) -> UserError:
    return UserError(
        f'{path}: holds an object of class {name!r}, expected one of {format_class_names(classes)}; '
        'list it in metainfo.classes of the data set, or set allow_other_classes=True to leave such objects out'
    )
