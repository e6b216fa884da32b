# 240,000 iterations are the authors', the milestones in proportion are ours.
_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/voc0712pp.py', '../_base_/schedules/voc_120k.py']
train_cfg = dict(max_iters=240000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[160000, 200000], gamma=0.1)]
