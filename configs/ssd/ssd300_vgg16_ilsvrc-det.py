# Default boxes and iterations of the authors' script; the paper (section 3.5) speaks of COCO's default boxes.
_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/ilsvrc_det.py', '../_base_/schedules/coco_400k.py']
from ssd_plugin.config_edits import trained_for

trained_for(_base_, 440000, milestones=[320000, 400000])
model = dict(bbox_head=dict(num_classes=200))
