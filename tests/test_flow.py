"""The main job through the command line: draw data, train, evaluate, predict, go on."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIG = 'configs/shapes/ssd300_r18_shapes.py'
# A quarter of the width and a handful of pictures: this is about the flow, accuracy has a test of its own.
SMALL = [
    '--cfg-options',
    'model.backbone.base_channels=16',
    'train_dataloader.batch_size=4',
    'train_cfg.val_interval=1',
]


def run(tool, *arguments, shapes):
    environment = {**os.environ, 'SHAPES_ROOT': str(shapes), 'OMP_NUM_THREADS': '1'}
    command = [sys.executable, f'tools/{tool}.py', *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def figures(output):
    """The six COCO figures of the last evaluation in a log."""
    return re.findall(r'bbox_mAP_copypaste: (.*)', output)[-1].split()


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    done = run('make_shapes', folder, '--images', 12, '--size', '96x72', '--workers', 1, shapes=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope='module')
def trained(shapes, tmp_path_factory):
    """A work folder after one epoch, and what training printed."""
    work = tmp_path_factory.mktemp('work')
    done = run('train', CONFIG, '--work-dir', work, *SMALL, 'train_cfg.max_epochs=1', shapes=shapes)
    assert done.returncode == 0, done.stderr
    return work, done.stdout + done.stderr


def test_training_logs_geometry_and_finite_losses(trained):
    work, output = trained
    assert '8732' in output
    assert output.count('total batch size 4 ') == 1  # the recipe is for 8
    (scalars,) = work.glob('*/vis_data/scalars.json')
    losses = [line['loss'] for line in map(json.loads, scalars.read_text().splitlines()) if 'loss' in line]
    assert all(0 < loss < float('inf') for loss in losses)
    assert (work / 'epoch_1.pth').is_file()


def test_evaluating_the_checkpoint_reprints_its_figures(trained, shapes, tmp_path):
    work, output = trained
    done = run('test', CONFIG, work / 'epoch_1.pth', '--work-dir', tmp_path, *SMALL, shapes=shapes)
    assert done.returncode == 0, done.stderr
    assert figures(done.stdout + done.stderr) == figures(output)


def test_a_checkpoint_of_averaged_weights_can_be_folded(trained, shapes, tmp_path):
    work, output = trained
    config = tmp_path / 'averaged.py'
    config.write_text(f"_base_ = ['{ROOT / CONFIG}']\ncustom_hooks = [dict(type='EMAHook')]\n")
    options = ['--work-dir', tmp_path, '--fuse-conv-bn', *SMALL]
    done = run('test', config, work / 'epoch_1.pth', *options, shapes=shapes)
    assert done.returncode == 0, done.stderr
    assert figures(done.stdout + done.stderr) == figures(output)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which('g++') is None, reason='no C++ compiler')
def test_a_compiled_network_finds_the_same(trained, shapes, tmp_path):
    work, output = trained
    done = run('test', CONFIG, work / 'epoch_1.pth', '--work-dir', tmp_path, '--compile', *SMALL, shapes=shapes)
    assert done.returncode == 0, done.stderr
    assert figures(done.stdout + done.stderr) == figures(output)


def test_training_resumes(trained, shapes):
    work, _ = trained
    done = run('train', CONFIG, '--work-dir', work, '--resume', *SMALL, 'train_cfg.max_epochs=2', shapes=shapes)
    assert done.returncode == 0, done.stderr
    assert 'resumed epoch: 1' in done.stdout + done.stderr
    assert (work / 'epoch_2.pth').is_file()


def test_inference_draws_pictures_and_writes_detections(trained, shapes, tmp_path):
    work, _ = trained
    pictures = sorted((shapes / 'JPEGImages').iterdir())[:2]
    narrow = tmp_path / 'narrow.py'
    narrow.write_text(f"_base_ = '{ROOT / CONFIG}'\nmodel = dict(backbone=dict(base_channels=16))\n")
    done = run('infer', narrow, work / 'epoch_1.pth', *pictures, '--out-dir', tmp_path, shapes=shapes)
    assert done.returncode == 0, done.stderr
    for picture in pictures:
        assert (tmp_path / 'vis' / picture.name).stat().st_size > 0
        found = json.loads((tmp_path / 'preds' / f'{picture.stem}.json').read_text())
        assert len(found['labels']) == len(found['scores']) == len(found['bboxes'])


def test_an_unknown_type_is_one_line(shapes, tmp_path):
    options = ['--work-dir', tmp_path, *SMALL, 'train_cfg.type=EpochTrainLoop']
    done = run('train', CONFIG, *options, shapes=shapes)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1] == (
        "error: train_cfg.type: 'EpochTrainLoop' is not registered, expected one like EpochBasedTrainLoop, "
        'IterBasedTrainLoop, SetEpochInfoHook'
    )
    assert 'Traceback' not in done.stderr


def test_a_missing_data_root_is_one_line(tmp_path):
    done = run('train', CONFIG, '--work-dir', tmp_path / 'work', shapes=tmp_path / 'nowhere')
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith('error: ')
    assert 'nowhere' in line
    assert 'SHAPES_ROOT' in line
    assert not (tmp_path / 'work').exists()
