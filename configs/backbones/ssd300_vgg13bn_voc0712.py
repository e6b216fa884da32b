# SSD300 on VGG-13 with batch normalisation, with torchvision's weights.
_base_ = './ssd300_vgg16bn_voc0712.py'
model = dict(
    backbone=dict(
        depth=13,
        out_layers=('conv4_2', 'fc7'),  # the last of its fourth block
        init_cfg=dict(checkpoint='https://download.pytorch.org/models/vgg13_bn-abd245e5.pth'),
    )
)
