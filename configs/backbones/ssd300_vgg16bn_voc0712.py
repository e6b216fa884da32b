_base_ = '../ssd/ssd300_vgg16_voc0712.py'
model = dict(
    data_preprocessor=dict(mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395]),  # of the pretrained weights
    # Their keys are the blocks' own; fc6 and fc7 start fresh.
    backbone=dict(
        with_bn=True,
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/vgg16_bn-6c64b313.pth'),
    ),
)
