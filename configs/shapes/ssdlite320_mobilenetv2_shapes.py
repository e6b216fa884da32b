# SSDLite from random weights, for minutes on a CPU.
_base_ = [
    '../_base_/models/ssdlite320_mobilenetv2.py',
    '../_base_/datasets/shapes.py',
    '../_base_/schedules/adamw_80e.py',
]
from ssd_plugin.config_edits import at_size, without_expansion

at_size(_base_, _base_.model.input_size)
without_expansion(_base_)
model = dict(bbox_head=dict(num_classes=6))
max_epochs = 36
train_cfg = dict(max_epochs=max_epochs, val_interval=18)
param_scheduler = [dict(step, T_max=max_epochs) if 'T_max' in step else step for step in _base_.param_scheduler]
