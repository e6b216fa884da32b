# SSD300 on ResNet-18 for 3 kinds of blood cells, from random weights.
_base_ = ['../_base_/models/ssd300_r18.py', '../_base_/datasets/bccd.py', '../_base_/schedules/adamw_80e.py']
model = dict(bbox_head=dict(num_classes=3))
