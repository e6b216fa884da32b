# Focal loss: the score of a class does not learn the IoU of its box.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(bbox_head=dict(loss_cls=dict(type='FocalLoss')))
