"""Sound data of two layouts, to be spoilt."""

from pathlib import Path

import pytest
from dirty_data import config_of, write_data
from mmengine.config import Config


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_data(tmp_path)
    return tmp_path


@pytest.fixture
def voc(data: Path) -> Config:
    return config_of(data, 'voc')


@pytest.fixture
def coco(data: Path) -> Config:
    return config_of(data, 'coco')
