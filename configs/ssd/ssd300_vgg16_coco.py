# SSD300* on COCO 2017, whose images are those of the paper's split.
_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/coco.py', '../_base_/schedules/coco_400k.py']
model = dict(bbox_head=dict(num_classes=80, anchor_generator=dict(basesize_ratio_range=(0.15, 0.9))))
