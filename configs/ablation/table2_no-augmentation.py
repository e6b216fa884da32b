# Table 2: whole image and mirror only (65.5). That colour is left alone too is our reading.
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
train_pipeline = [
    dict(step, distort=False, crop=False, random_interpolation=False) if 'expand_prob' in step else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(
    dataset=dict(datasets=[dict(part, pipeline=train_pipeline) for part in _base_.train_dataloader.dataset.datasets])
)
