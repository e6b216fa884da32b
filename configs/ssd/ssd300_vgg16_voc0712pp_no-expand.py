# Without the expansion trick: section 3.3 of the paper.
_base_ = './ssd300_vgg16_voc0712pp.py'
train_pipeline = [
    dict(step, expand_prob=0.0) if step.type == 'ssd_plugin.SSDAugment' else step for step in _base_.train_pipeline
]
train_dataloader = dict(
    dataset=dict(datasets=[dict(part, pipeline=train_pipeline) for part in _base_.train_dataloader.dataset.datasets])
)
train_cfg = dict(max_iters=80000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[60000], gamma=0.1)]
