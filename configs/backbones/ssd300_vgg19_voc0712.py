# SSD300 on VGG-19, with torchvision's weights.
_base_ = './ssd300_vgg19bn_voc0712.py'
model = dict(
    backbone=dict(with_bn=False, init_cfg=dict(checkpoint='https://download.pytorch.org/models/vgg19-dcbb9e9d.pth'))
)
