"""Describe drawn images as COCO and as VOC do."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .scene import CLASSES, ShapeObject


@dataclass(frozen=True)
class ImageRecord:
    """One written image: its number and its objects."""

    index: int
    objects: list[ShapeObject]

    @property
    def stem(self) -> str:
        """File name without its suffix, which is also the VOC image id."""
        return f'{self.index:06d}'


def coco_content(records: Sequence[ImageRecord], width: int, height: int) -> dict[str, Any]:
    """Describe images as COCO does.

    Args:
        records: The images.
        width: Of each, in pixels.
        height: Of each, in pixels.

    Returns:
        The content of an annotation file without ``info``.
    """
    images = [
        {'id': record.index, 'file_name': f'{record.stem}.jpg', 'width': width, 'height': height} for record in records
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
    categories = [{'id': label + 1, 'name': name, 'supercategory': 'shape'} for label, name in enumerate(CLASSES)]
    return {'images': images, 'annotations': annotations, 'categories': categories}


def voc_tree(record: ImageRecord, width: int, height: int) -> 'ElementTree.ElementTree':
    """Describe an image as VOC does.

    Args:
        record: The image.
        width: In pixels.
        height: In pixels.

    Returns:
        The content of an annotation file.
    """
    root = ElementTree.Element('annotation')
    _add(root, [('folder', 'JPEGImages'), ('filename', f'{record.stem}.jpg')])
    _add(ElementTree.SubElement(root, 'size'), [('width', width), ('height', height), ('depth', 3)])
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
