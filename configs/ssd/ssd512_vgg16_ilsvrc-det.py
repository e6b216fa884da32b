# Sizes as for SSD512 on VOC, as SSD300 has VOC's here; the paper has no SSD512 on this data.
_base_ = './ssd300_vgg16_ilsvrc-det.py'
input_size = (512, 512)  # W, H
model = dict(input_size=input_size, bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.15, 0.9))))
train_pipeline = [dict(step, scale=input_size) if 'scale' in step else step for step in _base_.train_pipeline]
test_pipeline = [dict(step, scale=input_size) if 'scale' in step else step for step in _base_.test_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
