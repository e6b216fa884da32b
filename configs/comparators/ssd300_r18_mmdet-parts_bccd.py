# SSD300 on ResNet-18 of mmdet's own parts, augmented as mmdet does, on our data and schedule.
_base_ = ['../_base_/datasets/bccd.py', '../_base_/schedules/adamw_80e.py']
from ssd_plugin.shipped_configs import mmdet_config

theirs = mmdet_config('ssd/ssd300_coco.py')
model, train_pipeline = theirs.model.to_dict(), theirs.train_pipeline
del theirs  # of its other entries none is meant
# A box without area makes mmdet's loss NaN; this is how mmdet's reader leaves one out.
train_dataloader = dict(dataset=dict(pipeline=train_pipeline, filter_cfg=dict(bbox_min_size=1)))
widths = (128, 256, 512, 512, 256, 256)
model['data_preprocessor']['std'] = [58.395, 57.12, 57.375]
model['backbone'] = dict(type='ResNet', depth=18, out_indices=(1, 2, 3), norm_eval=False)
model['neck'].update(
    in_channels=widths[:3],
    out_channels=widths,
    level_strides=(2, 1, 1),
    level_paddings=(1, 0, 0),
    l2_norm_scale=None,
    norm_cfg=dict(type='BN'),
)
model['bbox_head'].update(type='ssd_plugin.MMDetSSDHead', num_classes=3, in_channels=widths)
