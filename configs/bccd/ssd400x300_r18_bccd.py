# A rectangle in the shape of the photographs (640x480): nothing is squeezed.
_base_ = './ssd300_r18_bccd.py'
input_size = (400, 300)  # W, H
model = dict(input_size=input_size)
train_pipeline = [dict(step, scale=input_size) if 'scale' in step else step for step in _base_.train_pipeline]
test_pipeline = [dict(step, scale=input_size) if 'scale' in step else step for step in _base_.test_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
