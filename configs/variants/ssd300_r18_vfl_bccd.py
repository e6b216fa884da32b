# Varifocal loss: as quality focal loss, but positives count by their IoU.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(bbox_head=dict(loss_cls=dict(type='VarifocalLoss')))
