# ResNet-34, whose step takes 1.6 times as long; the teacher of ssd300_r18_distilled_bccd.py.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(backbone=dict(depth=34))
