# At half of ResNet-18's width and without expansion, which needs twice the passes, minutes on a CPU suffice.
_base_ = ['../_base_/models/ssd300_r18.py', '../_base_/datasets/shapes.py', '../_base_/schedules/adamw_80e.py']
model = dict(backbone=dict(base_channels=32), bbox_head=dict(num_classes=6))
train_pipeline = [
    dict(step, expand_prob=0.0) if step.type == 'ssd_plugin.SSDAugment' else step for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
max_epochs = 36
train_cfg = dict(max_epochs=max_epochs, val_interval=18)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min_ratio=0.01, by_epoch=True, convert_to_iter_based=True),
]
