"""Sound data of two layouts, to be spoilt."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import foreign_weights
import pytest
import torch
from converter_runs import State, residual, run
from dirty_data import config_of, write_data
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from plain_ssd import make_plain
from tool_runs import CONFIG

from ssd_plugin.cli.config_file import load_config
from ssd_plugin.datasets.shapes.make_shapes import ShapesParameters, make_shapes


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


@pytest.fixture(scope='session')
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, without which the tools look no further."""
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    make_shapes(folder, ShapesParameters(8, 96, 72))
    return folder


@pytest.fixture
def place(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a run would write."""
    monkeypatch.setenv('SHAPES_ROOT', str(shapes))
    return tmp_path / 'work'


@pytest.fixture(scope='session')
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config of a small network, with a checkpoint of the same name beside it."""
    path = tmp_path_factory.mktemp('narrow') / 'narrow.py'
    path.write_text(
        f"_base_ = 'ssd_plugin::{CONFIG.parent.name}/{CONFIG.name}'\nmodel = dict(backbone=dict(base_channels=8))\n"
    )
    init_default_scope('mmdet')
    config = load_config(path)
    meta = {'dataset_meta': dict(config.metainfo)}
    torch.manual_seed(0)
    torch.save({'meta': meta, 'state_dict': MODELS.build(config.model).state_dict()}, path.with_suffix('.pth'))
    return path


@pytest.fixture
def full_disk() -> Iterator[Callable[[int], None]]:
    """Lets no file grow beyond a number of bytes: writing fails half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope='session')
def states() -> dict[str, State]:
    """Sound weights of every kind; one number stands for all of a tensor, so that the files are small."""
    plain = make_plain(300)
    made = {
        'amdegroot': foreign_weights.amdegroot(plain),
        'amdegroot-trunk': foreign_weights.amdegroot_trunk(plain),
        'caffe': foreign_weights.caffe(plain),
        'caffe-trunk': foreign_weights.caffe_trunk(plain),
        'lufficc': foreign_weights.lufficc(plain),
        'mmdet': foreign_weights.mmdet(plain),
        'mmdet-2.13': foreign_weights.mmdet_before_2_14(plain),
        'torchvision': foreign_weights.torchvision(plain),
    }
    small = {kind: {key: torch.zeros(()).expand(value.shape) for key, value in of.items()} for kind, of in made.items()}
    return {**small, 'ours': residual()}


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Convert a file, which must end with status 2, one line and no new file; the line."""

    def convert(source: Path, *options: object, target: object = None) -> str:
        before = set(tmp_path.rglob('*'))
        with pytest.raises(SystemExit) as ended:
            run(monkeypatch, source, target or tmp_path / 'ours.pth', *options)
        assert ended.value.code == 2
        assert set(tmp_path.rglob('*')) == before
        printed = capsys.readouterr().err
        assert printed.startswith('error: ')
        assert printed.count('\n') == 1
        return printed.removeprefix('error: ').replace(f'{tmp_path}/', '').strip()

    return convert
