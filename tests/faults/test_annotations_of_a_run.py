"""Faulty data, through the real tools: refused before the first step, or trained on in a repaired copy."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dirty_data import edit_json, write_data

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sound data in the layout of the shapes, in classes of its own."""
    write_data(tmp_path)
    (tmp_path / 'annotations').mkdir()
    for part in ('train', 'val'):
        (tmp_path / f'{part}.json').rename(tmp_path / 'annotations' / f'{part}.json')
    return tmp_path


def run(tool: str, data: Path, *arguments: Any) -> 'subprocess.CompletedProcess[str]':
    loaders = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    options = [
        *(f"{loader}.dataset.metainfo.classes=('cat','dog')" for loader in loaders),
        'train_dataloader.num_workers=0',
        'train_dataloader.batch_size=2',
        'val_dataloader.num_workers=0',
        'model.bbox_head.num_classes=2',
        'model.backbone.base_channels=16',
        'train_cfg.max_epochs=1',
    ]
    arguments = (CONFIG, *arguments, '--work-dir', data / 'work', '--cfg-options', *options)
    return subprocess.run(
        [sys.executable, f'tools/{tool}.py', *arguments],
        cwd=ROOT,
        env={**os.environ, 'SHAPES_ROOT': str(data), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_repairs_are_made_in_a_copy_and_logged(data: Path) -> None:
    edit_json(data / 'annotations/train.json', lambda content: content['annotations'][0].pop('area'))
    edit_json(data / 'annotations/train.json', lambda content: content['annotations'][1].update(bbox=[3, 4, 0, 9]))
    spoilt = (data / 'annotations/train.json').read_bytes()
    done = run('train', data)
    assert done.returncode == 0, done.stderr
    log = done.stdout + done.stderr
    assert log.count(f'repaired in a copy ({data}/work/repaired_annotations/1): annotations: area') == 1
    assert log.count('left out: box: zero or negative width or height (1): ') == 1
    assert (data / 'annotations/train.json').read_bytes() == spoilt
    assert (data / 'work/epoch_1.pth').is_file()


@pytest.mark.parametrize('tool', ['train', pytest.param('test', marks=pytest.mark.slow)])
def test_a_broken_validation_image_is_refused_before_anything_is_written(tool: str, data: Path) -> None:
    (data / 'JPEGImages/c.jpg').write_bytes(b'')
    (data / 'weights.pth').touch()
    done = run(tool, data, *([data / 'weights.pth'] if tool == 'test' else []))
    assert done.returncode == 2
    expected = 'expected a JPEG, PNG, BMP, WebP or TIFF file'
    assert done.stderr == f'error: {data}/JPEGImages/c.jpg: 0 bytes, {expected}\n'
    assert not (data / 'work').exists()
