# SSDLite on MobileNetV2, from random weights (mmdet's published set-up).
_base_ = './ssd300_vgg16.py'
norm_cfg = dict(type='BN', eps=0.001, momentum=0.03)
style = dict(use_depthwise=True, norm_cfg=norm_cfg, act_cfg=dict(type='ReLU6'))
model = dict(
    input_size=320,
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='MobileNetV2',
        out_indices=(4, 7),
        norm_cfg=norm_cfg,
        init_cfg=dict(type='TruncNormal', layer='Conv2d', std=0.03),
    ),
    neck=dict(
        l2_norm_scale=None,
        out_channels=(512, 256, 256, 128),
        level_strides=(2, 2, 2, 2),
        level_paddings=(1, 1, 1, 1),
        init_cfg=dict(type='TruncNormal', layer='Conv2d', std=0.03),
        **style,
    ),
    bbox_head=dict(
        num_classes=80,
        init_cfg=dict(type='Normal', layer='Conv2d', std=0.001),
        anchor_generator=dict(
            _delete_=True,  # sizes of its own instead of a range
            type='ssd_plugin.SSDAnchorGenerator',
            strides=[16, 32, 64, 107, 160, 320],
            ratios=[[2, 3]] * 6,
            min_sizes=[48, 100, 150, 202, 253, 304],
            max_sizes=[100, 150, 202, 253, 304, 320],
        ),
        **style,
    ),
)
