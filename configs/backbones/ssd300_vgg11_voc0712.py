# SSD300 on VGG-11, with torchvision's weights.
_base_ = './ssd300_vgg11bn_voc0712.py'
model = dict(
    backbone=dict(with_bn=False, init_cfg=dict(checkpoint='https://download.pytorch.org/models/vgg11-8a719046.pth'))
)
