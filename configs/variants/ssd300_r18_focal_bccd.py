# Focal loss over all default boxes in place of softmax and mining.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(bbox_head=dict(loss_cls=dict(type='FocalLoss')), train_cfg=dict(sampler=None))
