# Table 3: the same without boundary boxes in training (63.1).
_base_ = './table3_sources-5.py'
model = dict(train_cfg=dict(assigner=dict(ignore_cross_boundary=True)))
