"""Spoilt image files: one line, or an image of a sound shape; never a traceback."""

from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest
from mutate_bytes import DAMAGE, spoil
from numbered import numbered
from one_line import assert_one_line

from ssd_plugin.datasets.transforms import LoadImage
from ssd_plugin.errors import UserError

ENDINGS = ('.jpg', '.png', '.bmp', '.webp', '.tif')


@pytest.fixture(scope='module')
def images() -> list[bytes]:
    pixels = np.random.RandomState(0).randint(0, 256, (48, 64, 3)).astype(np.uint8)
    progressive = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1]
    return [encoded.tobytes() for encoded in (progressive, *(cv2.imencode(ending, pixels)[1] for ending in ENDINGS))]


@pytest.mark.filterwarnings('ignore:::PIL')  # Pillow tells of broken metadata, which nothing reads
@numbered(60, 500)
def test_images(number: int, rng: Random, images: list[bytes], tmp_path: Path, record_property: Any) -> None:
    path = tmp_path / 'a.jpg'
    path.write_bytes(spoil(rng.choice(images), number, rng, DAMAGE))
    try:
        found = LoadImage(imdecode_backend=rng.choice(('cv2', 'pillow')))({'img_path': str(path)})
    except UserError as error:
        assert_one_line(error)
        record_property('images', 'refused')
        return
    height, width, channels = found['img'].shape
    assert (height, width) == found['img_shape'] == found['ori_shape']
    assert min(height, width) > 0
    assert channels == 3
    assert found['img'].dtype == np.uint8
    record_property('images', 'loaded')
