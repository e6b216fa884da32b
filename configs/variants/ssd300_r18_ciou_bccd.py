# Complete IoU in place of the generalised one.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(bbox_head=dict(loss_bbox=dict(type='CIoULoss')))
