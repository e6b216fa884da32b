# SSD300 on ResNeXt-50 (32x4d), with torchvision's weights.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='ResNeXt',
        depth=50,
        groups=32,
        base_width=4,
        out_indices=(1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnext50_32x4d-7cdf4587.pth'),
    )
)
