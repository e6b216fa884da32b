"""Sound data of two layouts, to be spoilt."""

from pathlib import Path

import pytest
from dirty_data import config_of, write_data
from mmengine.config import Config
from mmengine.registry import init_default_scope


@pytest.fixture(autouse=True)
def scope_of_mmdet() -> None:
    """Bare names are mmdet's, as in a config; runs of other tests may have left another scope."""
    init_default_scope('mmdet')


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
