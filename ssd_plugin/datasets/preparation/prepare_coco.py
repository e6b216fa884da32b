"""Write COCO's annotations for the paper's split of val2014: 5,000 images to test on, the others to train on."""

import json
from pathlib import Path
from typing import Any

from ssd_plugin.errors import UserError

from .files import Progress, expect, expect_count, write_json

SOURCE = 'https://cocodataset.org/#download'
MINIVAL_IMAGES = 5000
VALMINUSMINIVAL_IMAGES = 35504


def prepare_coco(root: Path, progress: Progress) -> list[str]:
    """Write ``annotations/instances_minival2014.json`` and ``instances_valminusminival2014.json``.

    The published minival2014 is COCO's later val2017: the same 5,000 images, which all come from val2014. So its
    numbers are read from val2017's annotations, and the annotations themselves from val2014's.

    Args:
        root: Folder with ``train2014``, ``val2014`` and ``annotations``.
        progress: Shows how far it is.

    Returns:
        What was written, one line a file.

    Raises:
        UserError: A file or folder is missing, or the numbers of images are not the published ones.

    Source: https://cocodataset.org/#download (2017 update: train2017 is trainval35k, val2017 is minival).
    """
    annotations = root / 'annotations'
    for name in ('train2014', 'val2014'):
        expect(root / name, 'folder', SOURCE)
    for name in ('train2014', 'val2014', 'val2017'):
        year = name[-4:]
        expect(annotations / f'instances_{name}.json', 'file', f'{SOURCE} (annotations_trainval{year}.zip)')
    names = ('val2017', 'val2014')
    later, val = (_read(annotations / f'instances_{name}.json') for name in progress(names, 'reading COCO', len(names)))
    parts = dict(zip(('minival2014', 'valminusminival2014'), split(val, {image['id'] for image in later['images']})))
    for (name, part), images in zip(parts.items(), (MINIVAL_IMAGES, VALMINUSMINIVAL_IMAGES)):
        expect_count(len(part['images']), images, f'instances_{name}.json to be written')
    lines = []
    for name, part in progress(parts.items(), 'writing COCO', len(parts)):
        path = annotations / f'instances_{name}.json'
        write_json(part, path)
        lines.append(f'{path}: {len(part["images"])} images, {len(part["annotations"])} objects')
    return lines


def split(content: dict[str, Any], ids: set[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide a COCO file in two.

    Args:
        content: The whole file.
        ids: Numbers of the images of the first part.

    Returns:
        The part with those images and the part with the others; ``info``, ``licenses`` and ``categories`` are in both.

    Raises:
        UserError: An image of ``ids`` is not in the file.
    """
    unknown = ids - {image['id'] for image in content['images']}
    if unknown:
        raise UserError(
            f'instances_val2014.json lacks {len(unknown)} images of instances_val2017.json ({min(unknown)}, ...), '
            'expected all of them'
        )
    common = {key: value for key, value in content.items() if key not in ('images', 'annotations')}
    first, second = (
        {
            **common,
            'images': [image for image in content['images'] if (image['id'] in ids) is inside],
            'annotations': [found for found in content['annotations'] if (found['image_id'] in ids) is inside],
        }
        for inside in (True, False)
    )
    return first, second


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path}: no JSON ({error}), expected the file of {SOURCE}') from error
    if not isinstance(content, dict) or not {'images', 'annotations', 'categories'} <= set(content):
        raise UserError(f'{path}: no images, annotations and categories in it, expected the file of {SOURCE}')
    for name, key in (('images', 'id'), ('annotations', 'image_id')):
        entries = content[name]
        if not isinstance(entries, list) or not all(isinstance(one, dict) and key in one for one in entries):
            raise UserError(f'{path}: {name} are not all objects with {key}, expected the file of {SOURCE}')
    return content
