_base_ = ['../_base_/models/ssd300_r18.py', '../_base_/datasets/shapes.py', '../_base_/schedules/adamw_80e.py']
model = dict(bbox_head=dict(num_classes=6))
max_epochs = 20
train_cfg = dict(max_epochs=max_epochs, val_interval=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min_ratio=0.01, by_epoch=True, convert_to_iter_based=True),
]
