# Without the expansion trick.
_base_ = './ssd300_vgg16_coco-trainval35k.py'
train_pipeline = [
    dict(step, expand_prob=0.0) if step.type == 'ssd_plugin.SSDAugment' else step for step in _base_.train_pipeline
]
train_dataloader = dict(
    dataset=dict(datasets=[dict(part, pipeline=train_pipeline) for part in _base_.train_dataloader.dataset.datasets])
)
train_cfg = dict(max_iters=240000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[160000, 200000], gamma=0.1)]
