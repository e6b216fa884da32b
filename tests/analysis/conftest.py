"""A small detector's config, and drawn images for it."""

from pathlib import Path

import pytest
from mmengine.config import Config

from ssd_plugin.cli.read_config import read_config
from ssd_plugin.datasets.shapes.make_shapes import ShapesParameters, make_shapes

CONFIG = Path(__file__).parents[2] / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'


@pytest.fixture(scope='session')
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    make_shapes(folder, ShapesParameters(8, 96, 72))
    return folder


@pytest.fixture
def config(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Of two images a batch; six images train, two are held out."""
    monkeypatch.setenv('SHAPES_ROOT', str(shapes))
    options = {'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0, 'model.backbone.base_channels': 8}
    return read_config(str(CONFIG), options, str(tmp_path / 'work'), 'none')
