_base_ = './ssd512_vgg16_voc0712.py'
train_dataloader = dict(dataset=dict(datasets=_base_.train_dataloader.dataset.datasets[:1]))
