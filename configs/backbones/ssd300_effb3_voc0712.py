# SSD300 on EfficientNet-B3.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='EfficientNet',
        arch='b3',
        drop_path_rate=0.2,
        out_indices=(3, 4, 5),
        norm_cfg=dict(type='BN', eps=1e-3, momentum=0.01),
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone',
            checkpoint='https://download.openmmlab.com/mmclassification/v0/efficientnet/efficientnet-b3_3rdparty_8xb32-aa_in1k_20220119-5b4887a0.pth',
        ),
    )
)
