"""The command-line tool, run in this process, and the config that it writes."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from own_folder import write_folder

from ssd_plugin.analysis.project_config import epochs_for

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Any:
    # MMEngine says so when a base reads one.
    for name in ('BCCD_ROOT', 'SHAPES_ROOT'):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, 'argv', [str(TOOLS / 'init_project.py'), *map(str, arguments)])
        status = 0
        try:
            runpy.run_path(sys.argv[0], run_name='__main__')
        except SystemExit as ended:
            status = int(ended.code or 0)
        return (status, *capsys.readouterr())

    return run


def test_a_folder_becomes_a_config(run: Any, tmp_path: Path) -> None:
    root, out = tmp_path / 'data', tmp_path / 'new' / 'cells'
    write_folder(root, 'COCO')
    status, printed, _ = run(root, '--out', out, '--size', '96x64')
    assert status == 0
    assert printed.startswith(f'{root}: COCO, 2 classes, divided with seed 0\n')
    assert '| images | 7        | 2          |\n| cat    | 7        | 2          |\n| dog    | 2        | 1' in printed
    assert 'left out: classes without objects: animal' in printed
    assert f'python {TOOLS}/train.py {out}/config.py\n' in printed
    assert f'{out}/work_dir/epoch_200.pth PHOTOS' in printed
    assert list(out.parent.iterdir()) == [out]
    assert len((out / 'config.py').read_text().splitlines()) <= 25
    # The folder of the config may be moved.
    out.rename(tmp_path / 'moved')
    config = Config.fromfile(tmp_path / 'moved' / 'config.py')
    assert config.model.input_size == (96, 64)
    assert config.model.bbox_head.num_classes == 2
    # What is best for few images: docs/accuracy.md.
    assert config.model.bbox_head.loss_cls.type == 'QualityFocalLoss'
    assert config.model.test_cfg.score_voting
    (augment,) = [step for step in config.train_dataloader.dataset.pipeline if step.type == 'ssd_plugin.SSDAugment']
    assert (augment.crop, augment.expand_ratio_range, augment.scale) == (False, (1.0, 2.0), (96, 64))
    assert config.train_dataloader.dataset.ann_file == f'{tmp_path}/moved/train/labels.json'
    assert (
        config.val_evaluator.ann_file == config.test_dataloader.dataset.ann_file == f'{tmp_path}/moved/val/labels.json'
    )
    assert config.train_dataloader.dataset.data_prefix.img == str(root / 'photos')
    assert config.train_dataloader.dataset.metainfo == dict(classes=('cat', 'dog'), palette=None)
    assert config.param_scheduler[1].T_max == config.train_cfg.max_epochs == 200
    assert config.work_dir == f'{tmp_path}/moved/work_dir'


def test_passes_follow_the_number_of_images() -> None:
    assert [epochs_for(images) for images in (5, 205, 400, 100_000)] == [200, 80, 40, 24]


def test_mistakes_are_one_line_and_nothing_is_written(run: Any, tmp_path: Path) -> None:
    root, out = tmp_path / 'data', tmp_path / 'out'
    write_folder(root, 'YOLO', 1)
    for arguments, line in (
        (
            (tmp_path / 'none', '--out', out),
            f'{tmp_path}/none: no such folder, expected one with images and annotations',
        ),
        (
            (root, '--out', out, '--size', '0'),
            '--size 0: expected a side or WIDTHxHEIGHT in pixels, such as 300 or 400x300',
        ),
        ((root, '--out', out, '--val-share', '1'), '--val-share 1: expected a share above 0 and below 1'),
        (
            (root, '--out', root / 'out'),
            f'--out {root}/out: lies in {root}, which is not written to, expected another place',
        ),
        ((root, '--out', tmp_path), f'{tmp_path}: exists already, expected a new or empty folder'),
        ((root, '--out', out), '1 different images, 1 fit for validation, expected two at least'),
    ):
        status, _, err = run(*arguments)
        assert status == 2
        assert err.startswith(f'error: {line}')
        assert err.count('\n') == 1
    assert [path.name for path in tmp_path.iterdir()] == ['data']


@pytest.mark.slow
@pytest.mark.parametrize('layout', ['VOC', 'COCO', 'YOLO'])
def test_the_config_trains_tests_and_infers_from_any_folder(layout: str, tmp_path: Path) -> None:
    root, out = tmp_path / 'data', tmp_path / 'out'
    write_folder(root, layout, 16)
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()

    def tool(name: str, *arguments: Any) -> str:
        command = [sys.executable, str(TOOLS / name), *map(str, arguments)]
        environment = {**os.environ, 'PYTHONPATH': str(TOOLS.parent)}
        done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    tool('init_project.py', root, '--out', out, '--size', 64)
    tool('train.py', out / 'config.py', '--cfg-options', 'train_cfg.max_epochs=1')
    checkpoint = out / 'work_dir' / 'epoch_1.pth'
    assert 'coco/bbox_mAP' in tool('test.py', out / 'config.py', checkpoint)
    photos = root / {'VOC': 'JPEGImages', 'COCO': 'photos', 'YOLO': 'images'}[layout]
    assert '16 images' in tool('infer.py', out / 'config.py', checkpoint, photos)
