# SSD300 on RegNetX-800MF.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    data_preprocessor=dict(
        mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False
    ),  # of the pretrained weights
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='RegNet',
        arch='regnetx_800mf',
        out_indices=(1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://regnetx_800mf'),
    ),
)
