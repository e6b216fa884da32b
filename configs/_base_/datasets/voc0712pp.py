# Train on VOC2007 trainval + test and VOC2012 trainval ("07++12"), write detections on VOC2012 test for the server.
_base_ = './voc0712.py'
train_sets = _base_.train_dataloader.dataset.datasets
train_dataloader = dict(
    dataset=dict(datasets=[*train_sets, dict(train_sets[0], ann_file='VOC2007/ImageSets/Main/test.txt')])
)
voc2012 = dict(data_prefix=dict(sub_data_root='VOC2012/'))
# All annotated images are trained on: the figures on VOC2012 val say that a run works, and are no result.
val_dataloader = dict(dataset=dict(ann_file='VOC2012/ImageSets/Main/val.txt', **voc2012))
val_evaluator = [
    dict(type='VOCMetric', metric='mAP', eval_mode='area'),
    dict(type='CocoMetric', metric='bbox', classwise=True),
]
test_dataloader = dict(
    dataset=dict(type='ssd_plugin.VOCTestDataset', ann_file='VOC2012/ImageSets/Main/test.txt', **voc2012)
)
test_evaluator = dict(_delete_=True, type='ssd_plugin.VOCSubmission', out_dir='work_dirs/voc2012_submission')
