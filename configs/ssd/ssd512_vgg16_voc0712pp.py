# Iterations and milestones as for SSD300.
_base_ = './ssd300_vgg16_voc0712pp.py'
from ssd_plugin.config_edits import at_size

at_size(_base_, 512)
model = dict(bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.15, 0.9))))
