# SSDLite from random weights: batch 192, cosine over 600 passes (mmdet's schedule for it).
_base_ = '../default_runtime.py'
max_epochs = 600
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=25)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.015, momentum=0.9, weight_decay=4e-5))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, by_epoch=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=192)
default_hooks = dict(checkpoint=dict(interval=25))
