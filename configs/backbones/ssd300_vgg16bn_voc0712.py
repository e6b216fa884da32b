# SSD300 on VGG-16 with batch normalisation, with torchvision's weights.
_base_ = '../ssd/ssd300_vgg16_voc0712.py'
model = dict(
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),  # of the pretrained weights
    # Their keys are the blocks' own; fc6 and fc7 start fresh.
    backbone=dict(
        with_bn=True,
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/vgg16_bn-6c64b313.pth'),
    ),
)
