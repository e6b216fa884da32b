# Not the network of the authors' ssd_pascal_resnet.py: that predicts from res3b3, res5c (conv5 dilated, at stride 1),
# three added levels of 512 channels and their global average (pool6); its boxes are 20 to 95 % of the side, clipped.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    backbone=dict(depth=101, init_cfg=dict(checkpoint='https://download.pytorch.org/models/resnet101-63fe2227.pth'))
)
