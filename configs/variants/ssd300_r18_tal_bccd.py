# Task-aligned assignment: positives by predicted score and IoU.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(train_cfg=dict(assigner=dict(_delete_=True, type='TaskAlignedAssigner', topk=13)))
