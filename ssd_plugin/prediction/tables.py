"""Write the detections of all images into one file: COCO or CSV."""

import csv
import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.structures import InstanceData

from ssd_plugin.whole_file import whole_file

from .result_writers import json_list
from .sources import Frame, Source

# Takes a frame, and ``bboxes``, ``scores`` and ``labels`` of what was found in it.
Table = Callable[[Frame, InstanceData], None]


@dataclass(frozen=True)
class CocoIds:
    """The numbers that the annotations of a data set have.

    Attributes:
        images: Of the image files.
        categories: Of the classes, in the order of their labels.
    """

    images: dict[Source, Any]
    categories: list[Any]


def find_coco_ids(config: Config, classes: Sequence[str], sources: Collection[Source]) -> Optional[CocoIds]:
    """Find the test images of a config in what is predicted.

    Args:
        config: Its test data may be elsewhere.
        classes: Those of the model.
        sources: What is predicted.

    Returns:
        The ids, or None unless all that is predicted are test images of a COCO file that has these classes.
    """
    dataset = DATASETS.build({**config.test_dataloader.dataset, 'lazy_init': True})
    if not isinstance(dataset, CocoDataset) or not os.path.isfile(dataset.ann_file):
        return None
    with open(dataset.ann_file, encoding='utf-8') as file:
        annotations = json.load(file)
    folder = dataset.data_prefix['img']
    images = {
        os.path.realpath(os.path.join(folder, image['file_name'])): image['id'] for image in annotations['images']
    }
    categories = {category['name']: category['id'] for category in annotations['categories']}
    found = {source: images.get(os.path.realpath(source.name)) for source in sources}
    if None in found.values() or not categories.keys() >= set(classes):
        return None
    return CocoIds(found, [categories[name] for name in classes])


def coco_table(
    path: Path, config: Config, classes: Sequence[str], sources: Collection[Source], score_thr: float
) -> AbstractContextManager[Table]:
    """Write a COCO file: results of the test set, to be rated, or else annotations.

    Args:
        path: The file.
        config: As it was trained.
        classes: Those of the model.
        sources: What is predicted.
        score_thr: Annotations score more.

    Returns:
        The context of the file, which gives what takes the frames.
    """
    ids = find_coco_ids(config, classes, sources)
    return coco_results(path, ids) if ids else coco_annotations(path, classes, score_thr)


@contextmanager
def coco_results(path: Path, ids: CocoIds) -> Iterator[Table]:
    """Write COCO's list of results, which pycocotools rates: all detections, whatever their score.

    Args:
        path: The file.
        ids: Of the images and the classes.

    Yields:
        What takes the frames.
    """
    with whole_file(path) as file, json_list(file) as add:

        def add_frame(frame: Frame, found: InstanceData) -> None:
            for box in _boxes(found):
                add({'image_id': ids.images[frame.source], 'category_id': ids.categories[box.pop('label')], **box})

        yield add_frame


@contextmanager
def coco_annotations(path: Path, classes: Sequence[str], score_thr: float) -> Iterator[Table]:
    """Write a COCO file of its own: images, categories, and what was found in place of annotations.

    Args:
        path: The file.
        classes: Categories are numbered from 1 in their order.
        score_thr: Leave out what does not score more.

    Yields:
        What takes the frames.
    """
    images: list[str] = []
    count = 0
    categories = [{'id': number, 'name': name} for number, name in enumerate(classes, 1)]
    with whole_file(path) as file:
        file.write(f'{{"categories": {json.dumps(categories)},\n"annotations": ')
        with json_list(file) as add:

            def add_frame(frame: Frame, found: InstanceData) -> None:
                nonlocal count
                height, width = frame.image.shape[:2]
                image: dict[str, Any] = {'id': len(images) + 1, 'file_name': str(frame.source.place)}
                if frame.number is not None:
                    image['frame'] = frame.number
                images.append(json.dumps({**image, 'width': width, 'height': height}))
                for box in _boxes(found[found.scores > score_thr]):
                    count += 1
                    area = box['bbox'][2] * box['bbox'][3]
                    place = {'id': count, 'image_id': len(images), 'category_id': box.pop('label') + 1}
                    add({**place, **box, 'area': area, 'iscrowd': 0})

            yield add_frame
        file.write(',\n"images": [\n' + ',\n'.join(images) + '\n]}\n')


@contextmanager
def csv_table(path: Path, classes: Sequence[str], score_thr: float) -> Iterator[Table]:
    """Write a row for every detection: file, frame (of a video, from 0), class, score, and corners in pixels.

    Args:
        path: The file.
        classes: Names of the labels.
        score_thr: Leave out what does not score more.

    Yields:
        What takes the frames.
    """
    with whole_file(path) as file:
        table = csv.writer(file, lineterminator='\n')
        table.writerow(['file', 'frame', 'class', 'score', 'x1', 'y1', 'x2', 'y2'])

        def add_frame(frame: Frame, found: InstanceData) -> None:
            number = '' if frame.number is None else frame.number
            kept = found[found.scores > score_thr]
            for label, score, corners in zip(kept.labels.tolist(), kept.scores.tolist(), kept.bboxes.tolist()):
                numbers = [f'{score:.4f}', *(f'{corner:.2f}' for corner in corners)]
                table.writerow([frame.source.place, number, classes[label], *numbers])

        yield add_frame


def _boxes(found: InstanceData) -> Iterator[dict[str, Any]]:
    """Give label, bbox as x, y, width and height, and score."""
    for label, score, (x1, y1, x2, y2) in zip(found.labels.tolist(), found.scores.tolist(), found.bboxes.tolist()):
        yield {'label': label, 'bbox': [x1, y1, x2 - x1, y2 - y1], 'score': score}
