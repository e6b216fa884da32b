# Without the expansion trick, of as many iterations, as for SSD300.
_base_ = './ssd512_vgg16_ilsvrc-det.py'
train_pipeline = [
    dict(step, expand_prob=0.0) if step.type == 'ssd_plugin.SSDAugment' else step for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
