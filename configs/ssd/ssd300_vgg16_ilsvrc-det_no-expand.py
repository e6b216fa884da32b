# Without the expansion trick: section 3.5 of the paper (43.4 mAP on val2), of as many iterations.
_base_ = './ssd300_vgg16_ilsvrc-det.py'
train_pipeline = [
    dict(step, expand_prob=0.0) if step.type == 'ssd_plugin.SSDAugment' else step for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
