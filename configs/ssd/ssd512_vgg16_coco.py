# 360,000 iterations are the authors'; the milestones are second hand, from runs that started from their archive.
_base_ = './ssd300_vgg16_coco.py'
from ssd_plugin.config_edits import at_size, trained_for

at_size(_base_, 512)
trained_for(_base_, 360000, milestones=[280000, 320000])
model = dict(bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.1, 0.9))))
