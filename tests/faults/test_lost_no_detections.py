"""Through the real tools: batches that leave one image, and validations that find nothing."""

import json

import pytest
from tool_runs import CONFIG, run_apart


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    done = run_apart('make_shapes', folder, '--images', 7, '--size', '96x72', '--workers', 1, shapes=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_a_run_passes_a_last_batch_of_one_and_validations_without_detections(shapes, tmp_path):
    images = len(json.loads((shapes / 'annotations' / 'train.json').read_text())['images'])
    settings = [
        'model.backbone.base_channels=16',
        'model.test_cfg.score_thr=1.0',
        f'train_dataloader.batch_size={images - 1}',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'train_cfg.max_epochs=2',
        'train_cfg.val_interval=1',
        'default_hooks.checkpoint.interval=1',
    ]
    done = run_apart('train', CONFIG, '--work-dir', tmp_path, '--cfg-options', *settings, shapes=shapes)
    assert done.returncode == 0, done.stderr
    output = done.stdout + done.stderr
    assert output.count('coco/bbox_mAP: 0.0000') == 2
    assert sorted(file.name for file in tmp_path.glob('*.pth')) == [
        'best_coco_bbox_mAP_epoch_1.pth',
        'epoch_1.pth',
        'epoch_2.pth',
    ]
