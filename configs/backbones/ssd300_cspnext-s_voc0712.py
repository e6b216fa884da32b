# SSD300 on CSPNeXt-s.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    data_preprocessor=dict(
        mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False
    ),  # of the pretrained weights
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='CSPNeXt',
        arch='P5',
        deepen_factor=0.33,
        widen_factor=0.5,
        channel_attention=True,
        out_indices=(2, 3, 4),
        act_cfg=dict(type='SiLU', inplace=True),
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/cspnext-s_imagenet_600e.pth',
        ),
    ),
)
