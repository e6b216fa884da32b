# Table 3: the same without boundary boxes in training (63.4).
_base_ = './table3_sources-6.py'
model = dict(train_cfg=dict(assigner=dict(ignore_cross_boundary=True)))
