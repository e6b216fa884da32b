# SSD300 on VGG-19 with batch normalisation, with torchvision's weights.
_base_ = './ssd300_vgg16bn_voc0712.py'
model = dict(
    backbone=dict(
        depth=19,
        out_layers=('conv4_4', 'fc7'),  # the last of its fourth block
        init_cfg=dict(checkpoint='https://download.pytorch.org/models/vgg19_bn-c79401a0.pth'),
    )
)
