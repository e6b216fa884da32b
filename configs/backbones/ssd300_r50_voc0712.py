# SSD300 on ResNet-50, with torchvision's weights.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    backbone=dict(depth=50, init_cfg=dict(checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'))
)
