# Fine-tuned from COCO, classes mapped by name. 160,000 iterations are the authors', the milestones are ours.
_base_ = './ssd512_vgg16_voc0712pp.py'
# The default boxes go with the weights.
model = dict(bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.1, 0.9))))
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='ssd_plugin.PartialLoadHook', checkpoint='{{$COCO_CHECKPOINT:work_dirs/ssd512_vgg16_coco/iter_360000.pth}}'
    ),
]
train_cfg = dict(max_iters=160000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[107000, 133000], gamma=0.1)]
