# Without the expansion trick here and on COCO. Half the iterations of the longer run, as the paper has it elsewhere.
_base_ = './ssd300_vgg16_voc0712pp-coco.py'
train_pipeline = [
    dict(step, expand_prob=0.0) if step.type == 'ssd_plugin.SSDAugment' else step for step in _base_.train_pipeline
]
train_dataloader = dict(
    dataset=dict(datasets=[dict(part, pipeline=train_pipeline) for part in _base_.train_dataloader.dataset.datasets])
)
checkpoint = '{{$COCO_CHECKPOINT:work_dirs/ssd300_vgg16_coco_no-expand/iter_240000.pth}}'
custom_hooks = [dict(hook, checkpoint=checkpoint) if 'checkpoint' in hook else hook for hook in _base_.custom_hooks]
train_cfg = dict(max_iters=80000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[53500, 66500], gamma=0.1)]
