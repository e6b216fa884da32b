# SSD300 on ResNet-18, from random weights: trains on a CPU, without a download.
_base_ = './ssd300_vgg16.py'
norm_cfg = dict(type='BN')
model = dict(
    data_preprocessor=dict(
        # Without published weights nothing ties the input to Caffe's scale.
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
    ),
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='ResNet',
        depth=18,
        out_indices=(1, 2, 3),
        norm_cfg=norm_cfg,
        norm_eval=False,
    ),
    neck=dict(l2_norm_scale=None, norm_cfg=norm_cfg),
)
