# Quality focal loss: the score of a class learns the IoU of its box, over all default boxes.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(bbox_head=dict(loss_cls=dict(type='QualityFocalLoss')), train_cfg=dict(sampler=None))
