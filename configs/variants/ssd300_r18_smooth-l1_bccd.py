# Smooth L1 of the deltas in place of the generalised IoU of the decoded boxes.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(bbox_head=dict(loss_bbox=dict(_delete_=True, type='SmoothL1Loss')))
