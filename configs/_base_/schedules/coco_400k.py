# SSD300* on COCO: batch 32, 400,000 iterations.
_base_ = './voc_120k.py'
train_cfg = dict(max_iters=400000, val_interval=20000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[280000, 360000], gamma=0.1)]
default_hooks = dict(checkpoint=dict(interval=20000))
