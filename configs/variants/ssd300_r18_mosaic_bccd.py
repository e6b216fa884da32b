# Half of the images are mosaics of four.
_base_ = '../bccd/ssd300_r18_bccd.py'
load, annotations, filter_boxes, *augment = _base_.train_pipeline
images = {**_base_.train_dataloader.dataset, 'pipeline': [load, annotations, filter_boxes]}
mosaic = [dict(type='Mosaic', img_scale=(640, 480), prob=0.5), dict(type='ssd_plugin.SSDFilterBoxes')]
train_dataloader = dict(
    dataset=dict(_delete_=True, type='MultiImageMixDataset', dataset=images, pipeline=[*mosaic, *augment])
)
