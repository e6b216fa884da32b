# SSD300 on VGG-13, with torchvision's weights.
_base_ = './ssd300_vgg13bn_voc0712.py'
model = dict(
    backbone=dict(with_bn=False, init_cfg=dict(checkpoint='https://download.pytorch.org/models/vgg13-19584684.pth'))
)
