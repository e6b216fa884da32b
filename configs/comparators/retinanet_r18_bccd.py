# mmdet's RetinaNet, on ResNet-18 and from random weights.
_base_ = [
    'mmdet::_base_/models/retinanet_r50_fpn.py',
    '../_base_/datasets/bccd_light-augmentation.py',
    '../_base_/schedules/adamw_80e.py',
]
model = dict(
    data_preprocessor=dict(pad_size_divisor=1),
    # Random weights and statistics have to learn, the first stage's too.
    backbone=dict(depth=18, frozen_stages=-1, norm_eval=False, init_cfg=None),
    neck=dict(in_channels=[64, 128, 256, 512]),
    # Half of the sizes for 1333x800: from 16 pixels on, for objects of 14 to 150 in an input of 300x300.
    bbox_head=dict(num_classes=3, anchor_generator=dict(octave_base_scale=2)),
)
