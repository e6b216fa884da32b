# Fine-tuned from COCO, classes mapped by name. 120,000 iterations are the authors', the milestones are ours.
_base_ = './ssd300_vgg16_voc0712.py'
# The default boxes go with the weights.
model = dict(bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.15, 0.9))))
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='ssd_plugin.PartialLoadHook', checkpoint='{{$COCO_CHECKPOINT:work_dirs/ssd300_vgg16_coco/iter_400000.pth}}'
    ),
]
train_cfg = dict(max_iters=120000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[80000, 100000], gamma=0.1)]
