# SimOTA chooses the positives by what the network predicts.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(train_cfg=dict(assigner=dict(_delete_=True, type='SimOTAAssigner')))
