"""Scripts of mmdet, mim and trackers work with our configs; docs/ecosystem.md shows how."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file

ROOT = Path(__file__).parents[1]
CONFIG = """
_base_ = 'ssd_plugin::{base}'
model = dict(backbone=dict(base_channels=16))
train_cfg = dict(max_epochs=1, val_interval=1)
train_dataloader = dict(num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
default_hooks = dict(logger=dict(interval=1))
"""
# Script of mmdet, its arguments, a file that it writes (or None), words that it prints.
SCRIPTS = [
    ('misc/print_config.py', 'CONFIG', None, "type='ssd_plugin.SSDHead'"),
    ('train.py', 'CONFIG --work-dir again', 'again/epoch_1.pth', 'Saving checkpoint'),
    ('test.py', 'CONFIG CHECKPOINT --work-dir out', None, 'coco/bbox_mAP_50'),
    ('test.py', 'CONFIG CHECKPOINT --work-dir out --tta', None, 'coco/bbox_mAP_50'),
    ('analysis_tools/browse_dataset.py', 'CONFIG --output-dir drawn --not-show', 'drawn/*.jpg', '32/32'),
    ('analysis_tools/confusion_matrix.py', 'CONFIG found.pkl matrix', 'matrix/confusion_matrix.png', '8/8'),
    ('analysis_tools/eval_metric.py', 'CONFIG found.pkl', None, 'coco/bbox_mAP_50'),
    ('analysis_tools/analyze_results.py', 'CONFIG found.pkl results --topk 1', 'results/good/*.jpg', ''),
    ('analysis_tools/benchmark.py', 'CONFIG --task dataset --max-iter 8 --num-warmup 1', None, 'Overall fps'),
    ('analysis_tools/benchmark.py', 'CONFIG --dataset-type train --max-iter 4 --num-warmup 1', None, 'Overall fps'),
    ('analysis_tools/get_flops.py', 'CONFIG --num-images 1', None, 'Flops: '),
    ('analysis_tools/coco_error_analysis.py', 'found.bbox.json errors --ann VAL', 'errors/bbox/*.png', ''),
    ('model_converters/publish_model.py', 'CHECKPOINT published.pth', 'published-*.pth', 'published model is saved'),
]


def run(*arguments, cwd, **environment):
    command = [sys.executable, '-m', 'ssd_plugin', *map(str, arguments)]
    environment = {
        **os.environ,
        'PYTHONPATH': str(ROOT),
        'OMP_NUM_THREADS': '1',
        'SHAPES_ROOT': 'data/shapes/',
        **environment,
    }
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f'{command}\n{done.stdout}\n{done.stderr}'
    return done.stdout + done.stderr


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    """A folder with data, a config, its trained checkpoint and detections."""
    folder = tmp_path_factory.mktemp('work')
    run('make_shapes', 'data/shapes', '--images', 40, '--size', '96x72', '--workers', 1, cwd=folder)
    (folder / 'small.py').write_text(CONFIG.format(base='shapes/ssd300_r18_shapes.py'))
    run('train', 'small.py', '--work-dir', 'trained', cwd=folder)
    outputs = ('--out', 'found.pkl', '--cfg-options', 'test_evaluator.outfile_prefix=found')
    run('test', 'small.py', 'trained/epoch_1.pth', *outputs, cwd=folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ('script', 'arguments', 'written', 'words'), SCRIPTS, ids=[' '.join(row[:2]) for row in SCRIPTS]
)
def test_script_of_mmdet_runs(script, arguments, written, words, work):
    places = {'CONFIG': 'small.py', 'CHECKPOINT': 'trained/epoch_1.pth', 'VAL': 'data/shapes/annotations/val.json'}
    output = run(f'mmdet/{script}', *(places.get(word, word) for word in arguments.split()), cwd=work)
    assert words in output
    assert written is None or list(work.glob(written)), output


def test_scripts_are_those_of_the_page():
    page = (ROOT / 'docs' / 'ecosystem.md').read_text()
    for script, *_ in SCRIPTS:
        assert f'`{script}`' in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ('package', 'backend', 'written'),
    [
        ('tensorboard', 'Tensorboard', 'events.out.tfevents.*'),
        ('wandb', 'Wandb', 'wandb/offline-run-*/run-*.wandb'),
        ('mlflow', 'MLflow', '*/*/metrics/coco/bbox_mAP'),
    ],
)
def test_tracker_is_one_line_of_the_config(package, backend, written, work):
    pytest.importorskip(package)
    backends = f"[dict(type='LocalVisBackend'), dict(type='{backend}VisBackend')]"
    path = work / f'tracked_{package}.py'
    path.write_text(f"_base_ = './small.py'\nvisualizer = dict(vis_backends={backends})\n")
    run('train', path, '--work-dir', package, cwd=work, WANDB_MODE='offline')
    assert list(work.glob(f'{package}/*/vis_data/{written}'))


@pytest.mark.slow
@pytest.mark.parametrize('tool', ['test', 'mmdet/test.py'])
def test_averaged_weights_are_tested_mirrored_too(tool, work):
    averaged = "custom_hooks = [*_base_.custom_hooks, dict(type='EMAHook')]\n"
    (work / 'averaged.py').write_text(f"_base_ = './small.py'\n{averaged}")
    found = {}
    for config in ('small.py', 'averaged.py'):
        out = f'{config}.pkl'
        run(tool, config, 'trained/epoch_1.pth', '--tta', '--out', out, '--work-dir', 'out', cwd=work)
        found[config] = [image['pred_instances'] for image in pickle.loads((work / out).read_bytes())]
    assert sum(len(image['scores']) for image in found['small.py']) > 0
    for one, other in zip(found['small.py'], found['averaged.py']):
        assert all(torch.equal(one[field], other[field]) for field in ('bboxes', 'scores', 'labels'))


@pytest.mark.slow
def test_the_recipe_of_averaged_weights_resumes_exactly_and_saves_the_average(work):
    hook = Config.fromfile(ROOT / 'configs' / 'variants' / 'ssd300_r18_ema_bccd.py').custom_hooks[-1].to_dict()
    (work / 'recipe.py').write_text(f"_base_ = './small.py'\ncustom_hooks = [*_base_.custom_hooks, {hook!r}]\n")
    options = ('--amp', '--cfg-options', 'train_cfg.max_epochs=2', 'default_hooks.checkpoint.interval=1')
    run('train', 'recipe.py', '--work-dir', 'whole', *options, cwd=work)
    run('train', 'recipe.py', '--work-dir', 'resumed', '--resume', 'whole/epoch_1.pth', *options, cwd=work)
    whole, resumed = (load_checkpoint_file(str(work / name / 'epoch_2.pth')) for name in ('whole', 'resumed'))
    averages, weights = whole['state_dict'], whole['ema_state_dict']
    for name, average in averages.items():
        assert torch.equal(average, resumed['state_dict'][name]), name
        assert torch.equal(weights[f'module.{name}'], resumed['ema_state_dict'][f'module.{name}']), name
    name = 'backbone.conv1.weight'
    assert not torch.equal(averages[name], weights[f'module.{name}'])
    run('test', 'recipe.py', 'whole/epoch_2.pth', '--work-dir', 'out', cwd=work)
