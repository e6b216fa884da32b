# SSD300 on ResNeSt-50.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    data_preprocessor=dict(mean=[123.68, 116.779, 103.939], std=[58.393, 57.12, 57.375]),  # of the pretrained weights
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='ResNeSt',
        depth=50,
        stem_channels=64,
        radix=2,
        reduction_factor=4,
        avg_down_stride=True,
        out_indices=(1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnest50'),
    ),
)
