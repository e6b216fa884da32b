# SSD300 on ResNet-34, with torchvision's weights.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    backbone=dict(depth=34, init_cfg=dict(checkpoint='https://download.pytorch.org/models/resnet34-b627a593.pth'))
)
