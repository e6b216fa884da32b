import os
from pathlib import Path

import numpy as np
import pytest
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.utils import register_all_modules

REPOSITORY = Path(__file__).parents[3]
FILL = (104, 117, 123)


@pytest.fixture(autouse=True, scope='session')
def _mmdet_registered():
    register_all_modules(init_default_scope=True)


@pytest.fixture(autouse=True)
def _seeded():
    np.random.seed(0)


@pytest.fixture(scope='session')
def make_results():
    def make(image, boxes, labels=None, ignored=None):
        boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
        labels = np.arange(len(boxes)) if labels is None else labels
        ignored = np.zeros(len(boxes), dtype=bool) if ignored is None else ignored
        return dict(
            img_path='image.jpg',
            img=image.copy(),
            img_shape=image.shape[:2],
            ori_shape=image.shape[:2],
            gt_bboxes=HorizontalBoxes(boxes),
            gt_bboxes_labels=np.asarray(labels, dtype=np.int64),
            gt_ignore_flags=np.asarray(ignored, dtype=bool),
        )

    return make


@pytest.fixture
def make_image():
    """Paint a smooth colourful image with some texture, as camera images have."""

    def paint(width, height, seed=0):
        rng = np.random.RandomState(seed)
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        waves = [np.sin(x / rng.uniform(15, 60) + y / rng.uniform(15, 60) + rng.uniform(0, 6)) for _ in range(3)]
        noise = rng.normal(0, 2, (height, width, 3))
        return np.clip(128 + 90 * np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)

    return paint


@pytest.fixture(scope='session')
def bccd_root():
    root = Path(os.environ.get('BCCD_ROOT', REPOSITORY / '../shared/data/BCCD'))
    if not root.is_dir():
        pytest.skip(f'BCCD_ROOT: no folder {root}')
    return root
