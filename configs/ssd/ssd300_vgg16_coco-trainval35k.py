# SSD300* on COCO as the paper splits it.
_base_ = [
    '../_base_/models/ssd300_vgg16.py',
    '../_base_/datasets/coco_trainval35k.py',
    '../_base_/schedules/coco_400k.py',
]
model = dict(bbox_head=dict(num_classes=80, anchor_generator=dict(basesize_ratio_range=(0.15, 0.9))))
