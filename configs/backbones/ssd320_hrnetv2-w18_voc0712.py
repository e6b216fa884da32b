# SSD320 on HRNetV2-W18, which takes multiples of 32 alone and gives a map of stride 4, too.
_base_ = './ssd300_r18_voc0712.py'
from ssd_plugin.config_edits import at_size

at_size(_base_, 320)
stages = dict(
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(4,), num_channels=(64,)),
    stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(4,) * 2, num_channels=(18, 36)),
    stage3=dict(num_modules=4, num_branches=3, block='BASIC', num_blocks=(4,) * 3, num_channels=(18, 36, 72)),
    stage4=dict(num_modules=3, num_branches=4, block='BASIC', num_blocks=(4,) * 4, num_channels=(18, 36, 72, 144)),
)
model = dict(
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='HRNet',
        extra=stages,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18'),
    )
)
