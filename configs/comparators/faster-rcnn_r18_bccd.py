# mmdet's Faster R-CNN, on ResNet-18 with a pyramid and from random weights.
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    '../_base_/datasets/bccd_light-augmentation.py',
    '../_base_/schedules/adamw_80e.py',
]
model = dict(
    data_preprocessor=dict(pad_size_divisor=1),
    # Random weights and statistics have to learn, the first stage's too.
    backbone=dict(depth=18, frozen_stages=-1, norm_eval=False, init_cfg=None),
    neck=dict(in_channels=[64, 128, 256, 512]),
    # Half of the sizes for 1333x800: from 16 pixels on, for objects of 14 to 150 in an input of 300x300.
    rpn_head=dict(type='ssd_plugin.Float32RPNHead', anchor_generator=dict(scales=[4])),
    roi_head=dict(
        bbox_roi_extractor=dict(type='ssd_plugin.Float32RoIExtractor', finest_scale=28),
        bbox_head=dict(num_classes=3),
    ),
    # As many proposals as in the paper's comparison; mmdet's 1000 are for 1333x800.
    test_cfg=dict(rpn=dict(max_per_img=300)),
)
