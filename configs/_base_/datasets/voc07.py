# Train on VOC2007 trainval, test on VOC2007 test.
_base_ = './voc0712.py'
train_dataloader = dict(dataset=dict(datasets=_base_.train_dataloader.dataset.datasets[:1]))
