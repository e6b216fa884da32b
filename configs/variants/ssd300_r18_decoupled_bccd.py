# Two convolutions of its own before each predictor of classes and of boxes.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(bbox_head=dict(stacked_convs=2, feat_channels=128, norm_cfg=dict(type='BN')))
