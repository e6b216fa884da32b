# SSD300 on ResNet-18 for 3 kinds of blood cells, from random weights. What each choice gives: docs/accuracy.md.
_base_ = [
    '../_base_/models/ssd300_r18_quality-focal.py',
    '../_base_/datasets/bccd_light-augmentation.py',
    '../_base_/schedules/adamw_80e.py',
]
anchor_generator = dict(  # by tools/fit_anchors.py, an entry for each level
    min_sizes=[21, 60, 111, 162, 213, 264],
    max_sizes=[120, 111, 162, 213, 264, 315],
    ratios=[[1.3], [1.5, 1.2], [1.3, 3], [2, 3], [2], [2]],
)
model = dict(bbox_head=dict(num_classes=3, anchor_generator=anchor_generator))
