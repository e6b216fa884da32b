# Default boxes and iterations of the authors' script; the paper (section 3.5) speaks of COCO's default boxes.
_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/ilsvrc_det.py', '../_base_/schedules/coco_400k.py']
model = dict(bbox_head=dict(num_classes=200))
train_cfg = dict(max_iters=440000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[320000, 400000], gamma=0.1)]
