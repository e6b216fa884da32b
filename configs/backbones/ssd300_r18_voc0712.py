# SSD300 on ResNet-18, with torchvision's weights.
_base_ = '../ssd/ssd300_vgg16_voc0712.py'
model = dict(
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),  # of the pretrained weights
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='ResNet',
        depth=18,
        out_indices=(1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet18-f37072fd.pth'),
    ),
    neck=dict(l2_norm_scale=None, norm_cfg=dict(type='BN')),
)
