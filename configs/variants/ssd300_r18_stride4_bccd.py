# A finer first map, of stride 4.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(backbone=dict(out_indices=(0, 1, 2, 3)))
