# SSD300 on Darknet-53.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    data_preprocessor=dict(mean=[0, 0, 0], std=[255, 255, 255]),  # of the pretrained weights
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='Darknet',
        depth=53,
        out_indices=(3, 4, 5),
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://darknet53'),
    ),
)
