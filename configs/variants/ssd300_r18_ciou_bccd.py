# Complete IoU of the decoded boxes in place of smooth L1 of the deltas.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(bbox_head=dict(loss_bbox=dict(type='CIoULoss', loss_weight=2.0)))
