# At half of ResNet-18's width, without expansion and crops, which want many more epochs, minutes on a CPU suffice.
_base_ = ['../_base_/models/ssd300_r18.py', '../_base_/datasets/shapes.py', '../_base_/schedules/adamw_80e.py']
from ssd_plugin.config_edits import with_step

with_step(_base_, 'ssd_plugin.SSDAugment', crop=False, expand_prob=0.0)
model = dict(backbone=dict(base_channels=32), bbox_head=dict(num_classes=6))
max_epochs = 36
train_cfg = dict(max_epochs=max_epochs, val_interval=18)
param_scheduler = [dict(step, T_max=max_epochs) if 'T_max' in step else step for step in _base_.param_scheduler]
