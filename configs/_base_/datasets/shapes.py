# The embedded data set, drawn by tools/make_shapes.py; COCO layout.
_base_ = '../pipelines/ssd300.py'
data_root = '{{$SHAPES_ROOT:data/shapes/}}'
metainfo = dict(
    classes=('circle', 'square', 'triangle', 'star', 'ring', 'cross'),
    palette=[(230, 60, 60), (60, 130, 230), (60, 190, 90), (240, 170, 30), (160, 80, 210), (40, 200, 200)],
)

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='JPEGImages/'),
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        data_root=data_root,
        ann_file='annotations/val.json',
        data_prefix=dict(img='JPEGImages/'),
        test_mode=True,
        pipeline=_base_.test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', ann_file=f'{data_root}/annotations/val.json', metric='bbox', classwise=True)
test_evaluator = val_evaluator
