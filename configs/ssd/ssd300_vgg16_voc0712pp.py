# 240,000 iterations are the authors', the milestones in proportion are ours.
_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/voc0712pp.py', '../_base_/schedules/voc_120k.py']
from ssd_plugin.config_edits import trained_for

trained_for(_base_, 240000, milestones=[160000, 200000])
