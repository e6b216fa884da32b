"""A photograph that Exif turns, annotated as it is stored or as it is shown, from its file to boxes on pixels."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from annotation_runs import refused, repaired
from dirty_data import HEIGHT, WIDTH, config_of, edit_json
from mmdet.registry import DATASETS
from mmengine.config import Config
from PIL import Image
from tool_runs import ROOT

PIPELINES = Config.fromfile(ROOT / 'configs' / '_base_' / 'pipelines' / 'ssd300.py')
# On the stored pixels, xyxy; orientation 6 shows them a quarter of a turn to the right.
STORED = (3, 4, 20, 16)
SHOWN = (HEIGHT - 16, 3, HEIGHT - 4, 20)


def write(data: Path, name: str, shown: bool, layout: str, part: str) -> None:
    """Write an image with one bright object, and its annotation."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    x1, y1, x2, y2 = STORED
    pixels[y1:y2, x1:x2] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(data / 'JPEGImages' / f'{name}.jpg', exif=exif, quality=95)
    (width, height), box = ((HEIGHT, WIDTH), SHOWN) if shown else ((WIDTH, HEIGHT), STORED)
    x1, y1, x2, y2 = box
    if layout == 'voc':
        # VOC counts pixels from 1, and the last one belongs to the object.
        corners = zip(('xmin', 'ymin', 'xmax', 'ymax'), (x1 + 1, y1 + 1, x2 + 1, y2 + 1))
        text = ''.join(f'<{key}>{number}</{key}>' for key, number in corners)
        (data / 'Annotations' / f'{name}.xml').write_text(
            f'<annotation><size><width>{width}</width><height>{height}</height></size>'
            f'<object><name>cat</name><difficult>0</difficult><bndbox>{text}</bndbox></object></annotation>'
        )
    else:
        edit_json(data / f'{part}.json', lambda c: c['images'][0].update(width=width, height=height))
        edit_json(data / f'{part}.json', lambda c: c['annotations'][0].update(bbox=[x1, y1, x2 - x1, y2 - y1]))


def load(part: dict[str, Any], pipeline: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """The image and its only box, from the steps of a shipped pipeline that load them."""
    steps = [step for step in pipeline if 'Load' in step['type']]
    results = DATASETS.build({**part, 'pipeline': steps})[0]
    (box,) = results['gt_bboxes'].tensor.numpy()
    return results['img'], box


def assert_box_is_on_the_object(image: np.ndarray, box: np.ndarray) -> None:
    x, y, width, height = cv2.boundingRect((image[..., 0] > 128).astype(np.uint8))
    assert box.tolist() == pytest.approx([x, y, x + width, y + height], abs=1)


@pytest.mark.parametrize('layout', ['voc', 'coco'])
@pytest.mark.parametrize('shown', [True, False])
def test_training_boxes_lie_on_their_objects(shown: bool, layout: str, data: Path) -> None:
    write(data, 'a', shown, layout, 'train')
    config = config_of(data, layout)
    assert repaired(config, data)[0] == []
    image, box = load(config.train_dataloader.dataset.dataset, PIPELINES.train_pipeline)
    assert image.shape[:2] == ((WIDTH, HEIGHT) if shown else (HEIGHT, WIDTH))
    assert_box_is_on_the_object(image, box)


@pytest.mark.parametrize('layout', ['voc', 'coco'])
@pytest.mark.parametrize('shown', [True, False])
def test_validation_boxes_lie_on_their_objects_or_are_refused(shown: bool, layout: str, data: Path) -> None:
    write(data, 'c', shown, layout, 'val')
    config = config_of(data, layout)
    if not shown:
        assert refused(config, data).startswith(
            'JPEGImages/c.jpg: Exif orientation 6 turns its 40 x 30 pixels, on which'
        )
        return
    assert repaired(config, data)[0] == []
    image, box = load(config.val_dataloader.dataset, PIPELINES.test_pipeline)
    assert image.shape[:2] == (WIDTH, HEIGHT)
    assert_box_is_on_the_object(image, box)
