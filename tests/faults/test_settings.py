"""Settings that are wrong, through the real tools: one line, and nothing is written."""

import subprocess
import sys

import pytest
import torch
from tool_runs import CONFIG, ROOT, fails

# What is given to --cfg-options of tools/train.py, and how the line goes on after "error: ".
OPTIONS = [
    ('max_epochs=1', '--cfg-options max_epochs: no setting of the run, a variable that the file has used already'),
    ('lr=0.1', '--cfg-options lr: no setting of the run, expected one like optim_wrapper.optimizer.lr'),
    ('batch_size=2', '--cfg-options batch_size: no setting of the run, expected one like train_dataloader.batch_size'),
    ('epochs=3', '--cfg-options epochs: no setting of the run, expected one like train_cfg.max_epochs'),
    ('workers=3', '--cfg-options workers: no setting of the run, expected one like train_dataloader.num_workers'),
    ('data_root=x', '--cfg-options data_root: no setting of the run, a variable that the file has used already'),
    ('input_size=400', '--cfg-options input_size: no setting of the run, a variable that the file has used already'),
    ('train_dataloder.batch_size=2', '--cfg-options train_dataloder.batch_size: no setting of the run'),
    ('train_dataloader.batch_sz=2', '--cfg-options train_dataloader.batch_sz: batch_sz is unknown there'),
    ('model.test_cfg.score_threshold=0.5', '--cfg-options model.test_cfg.score_threshold: score_threshold is unknown'),
    ('auto_scale_lr.enabled=True', '--cfg-options auto_scale_lr.enabled: enabled is unknown there'),
    ('env_cfg.cudnn_benchmrk=True', '--cfg-options env_cfg.cudnn_benchmrk: cudnn_benchmrk is unknown there'),
    ('model.input_size=0', 'at_size: 0, expected a side or (width, height), whole numbers of pixels above 0'),
    ('model.input_size=-300', 'at_size: -300, expected a side or (width, height)'),
    ('model.input_size=wide', "at_size: 'wide', expected a side or (width, height)"),
    ('model.input_size=(300,)', 'at_size: (300,), expected a side or (width, height)'),
    ('model.input_size=(300', '--cfg-options model.input_size=(300: expected KEY=VALUE, with every bracket closed'),
    ('train_cfg.max_epochs', '--cfg-options train_cfg.max_epochs: expected KEY=VALUE, with every bracket closed'),
    ('=1', '--cfg-options =1: expected KEY=VALUE, with every bracket closed'),
    ('train_cfg.max_epochs=0', 'train_cfg.max_epochs: 0, expected a whole number of at least 1'),
    ('train_cfg.max_epochs=-1', 'train_cfg.max_epochs: -1, expected a whole number of at least 1'),
    ('train_cfg.max_epochs=two', "train_cfg.max_epochs: 'two', expected a whole number of at least 1"),
    ('train_cfg.max_epochs=1.5', 'train_cfg.max_epochs: 1.5, expected a whole number of at least 1'),
    ('train_cfg.val_interval=0', 'train_cfg.val_interval: 0, expected a whole number of at least 1'),
    ('train_dataloader.batch_size=0', 'train_dataloader.batch_size: 0, expected a whole number of at least 1'),
    ('train_dataloader.batch_size=-4', 'train_dataloader.batch_size: -4, expected a whole number of at least 1'),
    ('val_dataloader.batch_size=big', "val_dataloader.batch_size: 'big', expected a whole number of at least 1"),
    ('train_dataloader.num_workers=-1', 'train_dataloader.num_workers: -1, expected a whole number of at least 0'),
    ('train_dataloader.num_workers=x', "train_dataloader.num_workers: 'x', expected a whole number of at least 0"),
    ('default_hooks.logger.interval=0', 'default_hooks.logger.interval: 0, expected a whole number of at least 1'),
    ('default_hooks.logger=None', 'default_hooks.logger: None, expected a hook such as'),
    ('default_hooks.checkpoint.interval=0', 'default_hooks.checkpoint.interval: 0, expected a whole number of at'),
    ('default_hooks.checkpoint.interval=two', "default_hooks.checkpoint.interval: 'two', expected a whole number"),
    (
        'default_hooks.checkpoint.max_keep_ckpts=0',
        'default_hooks.checkpoint.max_keep_ckpts: 0, expected a whole number',
    ),
    ('default_hooks.checkpoint.max_keep_ckpts=-5', 'default_hooks.checkpoint.max_keep_ckpts: -5, expected a whole'),
    ('default_hooks.checkpoint.max_keep_ckpts=two', "default_hooks.checkpoint.max_keep_ckpts: 'two', expected a whole"),
    (
        'default_hooks.checkpoint.max_keep=3',
        'default_hooks.checkpoint.max_keep: no such setting, expected one like max_keep_ckpts, ',
    ),
    ('default_hooks.checkpoint.save_best=mAP', "default_hooks.checkpoint.save_best: 'mAP', expected auto or a metric"),
    ('default_hooks.checkpoint.save_best=voc/mAP', "default_hooks.checkpoint.save_best: 'voc/mAP', expected auto or"),
    (
        'default_hooks.checkpoint.save_best=coco/bbox_map',
        "default_hooks.checkpoint.save_best: 'coco/bbox_map', expected auto or a metric such as coco/bbox_mAP, ",
    ),
    ('default_hooks.checkpoint.save_best=coco/mAP', "default_hooks.checkpoint.save_best: 'coco/mAP', expected auto or"),
    ('val_evaluator.type=COCOMetric', "val_evaluator.type: 'COCOMetric' is not registered, expected one like "),
    ('val_evaluator.ann_file=none.json', 'val_evaluator.ann_file: none.json does not exist, expected a file'),
    ('val_cfg=None', 'val_cfg: missing, expected all of val_dataloader, val_cfg, val_evaluator, or none'),
    ('val_dataloader=None', 'val_dataloader: missing, expected all of val_dataloader, val_cfg, val_evaluator, or none'),
    ('train_cfg=None', f'{CONFIG}: no train_cfg, expected one in a config to train with'),
    ('optim_wrapper.optimizer.lr=fast', "optim_wrapper.optimizer.lr: 'fast', expected a number above 0"),
    ('optim_wrapper.optimizer.lr=0', 'optim_wrapper.optimizer.lr: 0, expected a number above 0'),
    ('optim_wrapper.optimizer.lr=-1', 'optim_wrapper.optimizer.lr: -1, expected a number above 0'),
    ('param_scheduler.1.T_max=0', 'param_scheduler[1].T_max: 0, expected a whole number of at least 1'),
    (
        'train_dataloader.prefetch_factor=0',
        'train_dataloader.prefetch_factor: 0, expected a whole number of at least 1',
    ),
    (
        'train_dataloader.persistent_workers=maybe',
        "--cfg-options train_dataloader.persistent_workers: 'maybe', expected True or False",
    ),
    (
        'val_dataloader.sampler.shuffle=no',
        "--cfg-options val_dataloader.sampler.shuffle: 'no', expected True or False",
    ),
    ('resume=yes', "--cfg-options resume: 'yes', expected True or False"),
    ('custom_hooks.9.type=EMAHook', '--cfg-options custom_hooks.9.type: 9, expected a whole number below '),
    ('model.test_cfg.score_thr=high', "model.test_cfg.score_thr: 'high', expected a number from 0 to 1"),
    ('model.test_cfg.score_thr=30', 'model.test_cfg.score_thr: 30, expected a number from 0 to 1'),
    ('model.test_cfg.nms.iou_threshold=2', 'model.test_cfg.nms.iou_threshold: 2, expected a number from 0 to 1'),
    ('model.test_cfg.max_per_img=0', 'model.test_cfg.max_per_img: 0, expected a whole number of at least 1'),
    ('log_processor.window_size=0', 'log_processor.window_size: 0, expected a whole number of at least 1'),
    ('log_level=LOUD', "log_level: 'LOUD', expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ('env_cfg.mp_cfg.mp_start_method=spork', "env_cfg.mp_cfg.mp_start_method: 'spork', expected one of "),
    ('default_scope=mmdett', "default_scope: 'mmdett', expected an installed package such as mmdet"),
    ('randomness.seed=4294967296', 'randomness.seed: 4294967296, expected a whole number below 4294967296'),
    ('randomness.seed=-1', 'randomness.seed: -1, expected a whole number of at least 0'),
    ('randomness.seed=x', "randomness.seed: 'x', expected a whole number of at least 0"),
    ('train_dataloader.dataset.data_root=none', 'train_dataloader.dataset.data_root: none does not exist'),
    ('optim_wrapper.optimizer.type=SDG', "optim_wrapper.optimizer.type: 'SDG' is not registered, expected one like"),
    ('load_from=none.pth', 'load_from: none.pth does not exist, expected a checkpoint file'),
]


@pytest.mark.parametrize(('option', 'line'), OPTIONS, ids=[option for option, _ in OPTIONS])
def test_an_option_is_refused_in_one_line(option, line, place, monkeypatch, capsys):
    printed = fails('train', [CONFIG, '--work-dir', place, '--cfg-options', option], monkeypatch, capsys)
    assert printed.startswith(f'error: {line}')
    assert printed.count('\n') == 1
    assert not place.exists()


SMALL = ['model.input_size=(128,96)', 'model.backbone.base_channels=8']
SMALL += ['train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
# These show when the parts are built.
PARTS = [
    ('model.neck.out_chanels=(1,2)', 'model.neck.out_chanels: no such setting, expected one like out_channels, '),
    ('model.bbox_head.loss_clss=1', 'model.bbox_head.loss_clss: no such setting, expected one like loss_cls, '),
    (
        'model.bbox_head.num_classes=six',
        'bbox_head: ssd_plugin.SSDHead refuses its settings (TypeError: can only concatenate str',
    ),
    ('model.backbone.depth=19', 'model.backbone: ResNet refuses its settings (KeyError: invalid depth 19 for resnet)'),
    ('model.backbone.base_channels=0', 'model: ResNet cannot take 128x96 (RuntimeError: '),
    (
        'model.data_preprocessor.mean=[1,2]',
        'model.data_preprocessor: DetDataPreprocessor refuses its settings (AssertionError: `mean` should have 1 or 3',
    ),
    (
        'train_dataloader.sampler.shufle=True',
        'train_dataloader.sampler.shufle: no such setting, expected one like shuffle, ',
    ),
    (
        'train_dataloader.dataset.filter_cfgg=1',
        'train_dataloader.dataset.filter_cfgg: no such setting, expected one like filter_cfg, ',
    ),
    ('train_dataloader.drop_last=yes', 'train_cfg: EpochBasedTrainLoop refuses its settings (ValueError: drop_last '),
    (
        'train_dataloader.batch_size=9 train_dataloader.drop_last=True',
        'train_dataloader: no batch in an epoch, because drop_last leaves out what 6 images make of a batch of 9, ',
    ),
    ('train_cfg.max_epoch=3', 'train_cfg.max_epoch: no such setting, expected one like max_epochs, '),
    (
        'train_cfg.type=EpochLoop',
        "train_cfg.type: 'EpochLoop' is not registered, expected one like EpochBasedTrainLoop",
    ),
    ('custom_hooks.1.typ=3', 'custom_hooks[1]: ssd_plugin.BatchSizeHook refuses its settings (TypeError: '),
    ('custom_hooks.0.type=EMAHok', "custom_hooks[0].type: 'EMAHok' is not registered, expected one like EMAHook, "),
    ('optim_wrapper.type=OptimWraper', "optim_wrapper.type: 'OptimWraper' is not registered, expected one like OptimW"),
    (
        'optim_wrapper.clip_grad=3',
        'optim_wrapper: ssd_plugin.AutocastOptimWrapper refuses its settings (AssertionError: If ',
    ),
    (
        'optim_wrapper.optimizer.momentum=0.9',
        'optim_wrapper.optimizer.momentum: no such setting, expected one like maximize, ',
    ),
    (
        'optim_wrapper.optimizer.weight_decay=-1',
        'optim_wrapper.optimizer: AdamW refuses its settings (ValueError: Invalid weight_decay value: -1)',
    ),
    ('param_scheduler.0.start_factor=2', 'param_scheduler[0]: LinearLR refuses its settings (ValueError: Starting'),
    ('val_evaluator.metrc=bbox', 'val_evaluator.metrc: no such setting, expected one like metric, '),
    ('val_evaluator.metric=bbx', 'val_evaluator: CocoMetric refuses its settings (KeyError: metric should be one of'),
]


@pytest.mark.filterwarnings('ignore')  # of other packages, about settings
@pytest.mark.parametrize(('option', 'line'), PARTS, ids=[option for option, _ in PARTS])
def test_a_part_that_refuses_is_named_in_one_line(option, line, place, monkeypatch, capsys):
    options = [*SMALL, *option.split()]
    printed = fails('train', [CONFIG, '--work-dir', place, '--cfg-options', *options], monkeypatch, capsys)
    assert printed.splitlines()[-1].startswith(f'error: {line}')
    assert 'Traceback' not in printed
    assert not list(place.glob('*.pth'))


@pytest.mark.parametrize('number', ['0', '-3'])
def test_a_batch_of_no_image(number, place, monkeypatch, capsys):
    printed = fails('infer', [CONFIG, 'none.pth', ROOT, '--batch-size', number], monkeypatch, capsys)
    assert printed == f'error: --batch-size is {number}, expected a whole number above 0\n'


@pytest.mark.parametrize('number', ['0', '-1', 'two', '1.5'])
@pytest.mark.parametrize('tool', ['dist_train', 'dist_test'])
def test_a_number_of_devices(number, tool):
    checkpoint = [] if tool == 'dist_train' else ['none.pth']
    command = ['bash', f'tools/{tool}.sh', str(CONFIG), *checkpoint, number]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"error: GPUS is '{number}', expected a whole number above 0\n"


@pytest.mark.filterwarnings('ignore')  # of other packages, about settings
@pytest.mark.parametrize('way', ['load_from', 'resume'])
def test_a_checkpoint_of_another_model(way, place, tmp_path, monkeypatch, capsys):
    checkpoint = str(tmp_path / 'empty.pth')
    run = {'meta': {'epoch': 1, 'iter': 1}, 'message_hub': {}, 'optimizer': {}}
    torch.save({**run, 'state_dict': {}}, checkpoint)
    options = [*SMALL, *([f'load_from={checkpoint}'] if way == 'load_from' else [])]
    resume = ['--resume', checkpoint] if way == 'resume' else []
    arguments = [CONFIG, '--work-dir', place, *resume, '--cfg-options', *options]
    assert (
        fails('train', arguments, monkeypatch, capsys)
        .splitlines()[-1]
        .startswith(f'error: {checkpoint}: does not fit the model of the config, it lacks backbone.conv1.weight, ')
    )


@pytest.mark.slow
def test_options_that_change_more_than_one_place(shapes, place):
    options = ['model.input_size=(128,96)', 'train_cfg.max_epochs=1', 'train_dataloader.num_workers=0']
    small = ['model.backbone.base_channels=16', 'train_cfg.val_interval=1', 'train_dataloader.batch_size=2']
    command = [sys.executable, 'tools/train.py', CONFIG, '--work-dir', place, '--cfg-options', *options, *small]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (log,) = place.glob('*/*.log')
    assert 'Default boxes for an input of 128x96' in log.read_text()
    line = 'The schedules follow train_cfg.max_epochs=1: param_scheduler[1].T_max 36 -> 1'
    assert log.read_text().count(line) == 1
