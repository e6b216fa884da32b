# Without the expansion trick. Half the iterations of the longer run, as the paper has it.
_base_ = './ssd512_vgg16_ilsvrc-det.py'
train_pipeline = [
    dict(step, expand_prob=0.0) if step.type == 'ssd_plugin.SSDAugment' else step for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=220000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[160000, 200000], gamma=0.1)]
