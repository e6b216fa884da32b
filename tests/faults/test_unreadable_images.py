"""Training images that cannot be read, through the real tools: skipped, listed and counted, or the run stops."""

import json
import logging
import runpy
import sys
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest
from dirty_data import edit_json
from mmengine.config import Config

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'
IMAGES = 24
EXPECTED = 'expected a JPEG, PNG, BMP, WebP or TIFF file'
SMALL = [
    'model.input_size=64',
    'model.backbone.base_channels=8',
    'train_cfg.max_epochs=1',
    'train_cfg.val_interval=9',
    'train_dataloader.batch_size=2',
    'val_dataloader.num_workers=0',
    # Workers that outlive the run are waited for when they are collected, in the middle of another test.
    'train_dataloader.persistent_workers=False',
    'val_dataloader.persistent_workers=False',
]


def cut(image: Path) -> None:
    image.write_bytes(image.read_bytes()[:-200])


def resize(image: Path) -> None:
    cv2.imwrite(str(image), np.zeros((50, 70, 3), np.uint8))


FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    'missing': (Path.unlink, f'No such file or directory: {EXPECTED}'),
    'zero bytes': (lambda image: image.write_bytes(b''), f'0 bytes that are no image: {EXPECTED}'),
    'no image': (lambda image: image.write_text('<html>'), f'6 bytes that are no image: {EXPECTED}'),
    'cut short': (cut, 'JPEG cut short after '),
    'another size': (resize, '70 x 50 pixels: expected 96 x 72, on which its boxes were annotated'),
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The embedded data set's layout, with noise as images."""
    root = tmp_path / 'data'
    for folder in ('JPEGImages', 'annotations'):
        (root / folder).mkdir(parents=True)
    names = ('circle', 'square', 'triangle', 'star', 'ring', 'cross')
    records = [{'id': i, 'file_name': f'{i}.jpg', 'width': 96, 'height': 72} for i in range(1, IMAGES + 1)]
    content = {
        'images': records,
        'categories': [{'id': i, 'name': name} for i, name in enumerate(names)],
        'annotations': [
            {'id': i, 'image_id': i, 'category_id': 0, 'bbox': [9, 9, 40, 30], 'area': 1200, 'iscrowd': 0}
            for i in range(1, IMAGES + 1)
        ],
    }
    for record in records:
        pixels = np.random.RandomState(record['id']).randint(0, 256, (72, 96, 3), dtype=np.uint8)
        cv2.imwrite(str(root / 'JPEGImages' / record['file_name']), pixels)
    (root / 'annotations' / 'train.json').write_text(json.dumps(content))
    last = {key: content[key][-1:] for key in ('images', 'annotations')}
    (root / 'annotations' / 'val.json').write_text(json.dumps({**content, **last}))
    monkeypatch.setenv('SHAPES_ROOT', str(root))
    return root


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> Callable[..., tuple]:
    """Runs tools/train.py in this process, with the status, what it wrote to stderr, and the log."""

    def train(*options: str) -> tuple[int, str, str]:
        # MMEngine's logger would write to the output of the test that made it.
        monkeypatch.setattr(logging, 'raiseExceptions', False)
        work = tmp_path / 'work'
        # Setting out a config as text and asking for compilers take most of a short run's time.
        monkeypatch.setattr(Config, 'pretty_text', '')
        monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
        # MMEngine keeps a visualizer for each name.
        options = (*SMALL, *options, f'visualizer.name={tmp_path.name}')
        monkeypatch.setattr(sys, 'argv', ['train.py', str(CONFIG), '--work-dir', str(work), '--cfg-options', *options])
        status = 0
        try:
            runpy.run_path(str(ROOT / 'tools' / 'train.py'), run_name='__main__')
        except SystemExit as ended:
            status = int(str(ended.code))
        (log,) = work.glob('*/*.log')
        return status, capfd.readouterr().err, log.read_text()

    return train


def test_unreadable_images_are_skipped_listed_and_counted(data: Path, train: Callable, tmp_path: Path) -> None:
    for number, (spoil, _) in enumerate(FAULTS.values(), 1):
        spoil(data / 'JPEGImages' / f'{number}.jpg')
    status, printed, log = train('custom_hooks.5.max_share=0.3')
    assert status == 0, printed
    quarantine = tmp_path / 'work' / 'quarantine.txt'
    listed = dict(line.split('\t') for line in quarantine.read_text().splitlines())
    assert len(listed) == len(FAULTS)
    for number, (_, line) in enumerate(FAULTS.values(), 1):
        path = f'{data}/JPEGImages/{number}.jpg'
        assert listed[path].startswith(f'{path}: {line}')
        assert log.count(f'skipped an image: {path}: {line}') == 1
    assert f'5 of {IMAGES} training images were skipped: {quarantine}' in log
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()


def test_more_than_a_share_of_unreadable_images_stops_the_run(data: Path, train: Callable, tmp_path: Path) -> None:
    for number in range(1, 9):
        (data / 'JPEGImages' / f'{number}.jpg').unlink()
    status, printed, _ = train('train_dataloader.num_workers=0')
    assert status == 2
    assert printed.splitlines()[-1].endswith(
        f' training images cannot be used, expected at most 1.00% (QuarantineHook.max_share): '
        f'{tmp_path}/work/quarantine.txt lists them'
    )
    assert not list((tmp_path / 'work').glob('epoch_*.pth'))


def test_images_that_are_all_gone_stop_the_run(data: Path, train: Callable) -> None:
    for image in (data / 'JPEGImages').iterdir():
        image.rename(data / image.name)
    edit_json(data / 'annotations' / 'val.json', lambda c: c['images'][0].update(file_name=f'../{IMAGES}.jpg'))
    status, printed, _ = train('train_dataloader.num_workers=0')
    assert status == 2
    assert printed.splitlines()[-1].startswith(f'error: {data}/JPEGImages/')
    assert printed.splitlines()[-1].endswith(f'.jpg: No such file or directory: {EXPECTED}')


def test_without_the_hook_the_first_unreadable_image_stops_the_run(data: Path, train: Callable) -> None:
    (data / 'JPEGImages' / '5.jpg').write_bytes(b'')
    status, printed, _ = train('custom_hooks=[]')
    assert status == 2
    assert printed.splitlines()[-1] == f'error: {data}/JPEGImages/5.jpg: 0 bytes that are no image: {EXPECTED}'
