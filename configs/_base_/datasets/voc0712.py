# Train on VOC2007 + VOC2012 trainval, test on VOC2007 test.
_base_ = '../pipelines/ssd300.py'
from ssd_plugin.config_edits import with_step

# The authors train on difficult objects as on any other.
with_step(_base_, 'ssd_plugin.SSDFilterBoxes', use_difficult_gt=True)
data_root = '{{$VOC_ROOT:data/VOCdevkit/}}'
total_batch_size = 32  # over all devices; tools/train.py gives each its share

train_dataloader = dict(
    batch_size=total_batch_size,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='ConcatDataset',
        ignore_keys=['dataset_type'],  # the year, in which the two differ
        datasets=[
            dict(
                type='VOCDataset',
                data_root=data_root,
                ann_file=f'VOC{year}/ImageSets/Main/trainval.txt',
                data_prefix=dict(sub_data_root=f'VOC{year}/'),
                pipeline=_base_.train_pipeline,
            )
            for year in (2007, 2012)
        ],
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOCDataset',
        data_root=data_root,
        ann_file='VOC2007/ImageSets/Main/test.txt',
        data_prefix=dict(sub_data_root='VOC2007/'),
        test_mode=True,
        pipeline=_base_.test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='ssd_plugin.VOC07Metric'),
    dict(type='CocoMetric', metric='bbox', classwise=True),
]
test_evaluator = val_evaluator
