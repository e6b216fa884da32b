# ILSVRC DET: train on train + val1, test on val2; the JSON files are written by tools/prepare_dataset.py.
_base_ = './coco.py'
data_root = '{{$ILSVRC_ROOT:data/ILSVRC/}}'
train_dataloader = dict(
    dataset=dict(
        type='ssd_plugin.ILSVRCDetDataset',
        data_root=data_root,
        ann_file='annotations/det_trainval1.json',
        data_prefix=dict(img='Data/DET/'),
    )
)
val_dataloader = dict(
    dataset=dict(
        type='ssd_plugin.ILSVRCDetDataset',
        data_root=data_root,
        ann_file='annotations/det_val2.json',
        data_prefix=dict(img='Data/DET/'),
    )
)
test_dataloader = val_dataloader
val_evaluator = [
    # As the authors measure it: IoU 0.5, area under the curve.
    dict(type='VOCMetric', metric='mAP', eval_mode='area'),
    dict(_base_.val_evaluator, ann_file=f'{data_root}/annotations/det_val2.json'),
]
test_evaluator = val_evaluator
