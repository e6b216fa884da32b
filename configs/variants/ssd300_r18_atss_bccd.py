# ATSS chooses the positives.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(train_cfg=dict(assigner=dict(_delete_=True, type='ATSSAssigner', topk=9)))  # no setting of SSD's matching
