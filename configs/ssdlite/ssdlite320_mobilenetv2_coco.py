_base_ = [
    '../_base_/models/ssdlite320_mobilenetv2.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/cosine_600e.py',
]
input_size = (320, 320)  # W, H
total_batch_size = 192
train_pipeline = [dict(step, scale=input_size) if 'scale' in step else step for step in _base_.train_pipeline]
test_pipeline = [dict(step, scale=input_size) if 'scale' in step else step for step in _base_.test_pipeline]
train_dataloader = dict(
    batch_size=total_batch_size,
    sampler=dict(type='DefaultSampler'),  # epochs, not iterations
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
