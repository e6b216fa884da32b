# Table 2: VGG without atrous convolution (74.2). Which layers predict is ours: the same six map sizes, 8732 boxes.
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
model = dict(
    backbone=dict(atrous=False, out_layers=('conv4_3', 'conv5_3', 'fc7')),
    neck=dict(out_channels=(512, 256, 256), level_strides=(2, 1, 1), level_paddings=(1, 0, 0)),
)
