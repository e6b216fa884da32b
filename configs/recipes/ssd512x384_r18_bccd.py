# The most accurate of our SSDs for BCCD: twice the pixels, unsqueezed, and SimOTA. What it gives: docs/accuracy.md.
_base_ = '../bccd/ssd300_r18_bccd.py'
from ssd_plugin.config_edits import at_size, with_step, with_tta

at_size(_base_, (512, 384))  # width, height
with_step(_base_, 'ssd_plugin.SSDAugment', distort=True)
_base_.train_pipeline.insert(-1, dict(type='RandomFlip', prob=0.5, direction='vertical'))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
with_tta(_base_)
anchor_generator = dict(
    min_sizes=[29, 76, 142, 104, 272, 337],
    max_sizes=[54, 109, 207, 272, 337, 403],
    ratios=[[1.3], [1.3, 1.7], [2, 3], [2, 3], [2], [2]],
)
model = dict(
    bbox_head=dict(anchor_generator=anchor_generator),
    train_cfg=dict(assigner=dict(_delete_=True, type='SimOTAAssigner')),
)
max_epochs = 160  # twice the base's
_base_.param_scheduler[1].T_max = max_epochs
train_cfg = dict(max_epochs=max_epochs)
