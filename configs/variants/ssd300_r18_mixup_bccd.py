# Every image is the mean of two, with the objects of both.
_base_ = '../bccd/ssd300_r18_bccd.py'
load, annotations, filter_boxes, *augment = _base_.train_pipeline
images = {**_base_.train_dataloader.dataset, 'pipeline': [load, annotations, filter_boxes]}
mixup = [dict(type='MixUp', img_scale=(640, 480), ratio_range=(0.8, 1.6)), dict(type='ssd_plugin.SSDFilterBoxes')]
train_dataloader = dict(
    dataset=dict(_delete_=True, type='MultiImageMixDataset', dataset=images, pipeline=[*mixup, *augment])
)
