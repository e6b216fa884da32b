"""Makes what lies beside the tools importable, behind everything else: there is a standard module ``test``."""

import logging
import runpy
import sys
from pathlib import Path
from typing import Callable

import pytest
from mmengine.config import config
from rich import progress

from ssd_plugin.datasets.shapes.make_shapes import ShapesParameters, make_shapes

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'
sys.path.append(str(ROOT / 'tools'))


@pytest.fixture(scope='session')
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    make_shapes(folder, ShapesParameters(8, 96, 72))
    return folder


@pytest.fixture
def run_tool_on_shapes(shapes: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run a tool in this process with a narrow network of the shapes' config, and further arguments."""
    monkeypatch.setenv('SHAPES_ROOT', str(shapes))
    # MMEngine's logger would write to the output of the test that made it.
    monkeypatch.setattr(logging, 'raiseExceptions', False)
    # To lay out the config for the log takes longer than all the rest.
    monkeypatch.setattr(config, 'FormatCode', lambda text, **_: (text, True))
    monkeypatch.setattr(progress, 'track', lambda steps, *_, **__: steps)

    def run(tool: str, *arguments: object) -> None:
        small = ['--cfg-options', 'model.backbone.base_channels=8', 'train_dataloader.batch_size=2']
        small += ['train_dataloader.num_workers=0']
        monkeypatch.setattr(sys, 'argv', [f'{tool}.py', str(CONFIG), *map(str, arguments), *small])
        runpy.run_path(str(ROOT / 'tools' / f'{tool}.py'), run_name='__main__')

    return run
