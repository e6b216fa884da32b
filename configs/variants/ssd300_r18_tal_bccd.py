# Task-aligned assignment with the loss it was made for.
_base_ = './ssd300_r18_qfl_bccd.py'
model = dict(train_cfg=dict(assigner=dict(_delete_=True, type='TaskAlignedAssigner', topk=13)))
