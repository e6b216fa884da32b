# Table 3: the same without boundary boxes in training (69.2).
_base_ = './table3_sources-3.py'
model = dict(train_cfg=dict(assigner=dict(ignore_cross_boundary=True)))
