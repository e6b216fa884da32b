# Without the expansion trick: section 3.1 of the paper (68.0 mAP with 300, 71.6 with 512).
_base_ = './ssd512_vgg16_voc07.py'
train_pipeline = [
    dict(step, expand_prob=0.0) if step.type == 'ssd_plugin.SSDAugment' else step for step in _base_.train_pipeline
]
train_dataloader = dict(
    dataset=dict(datasets=[dict(part, pipeline=train_pipeline) for part in _base_.train_dataloader.dataset.datasets])
)
train_cfg = dict(max_iters=60000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[40000, 50000], gamma=0.1)]
