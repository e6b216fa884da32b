# Default boxes as for SSD512 on VOC, as SSD300 has those of VOC here; the paper has no SSD512 on this data.
_base_ = './ssd300_vgg16_ilsvrc-det.py'
from ssd_plugin.config_edits import at_size

at_size(_base_, 512)
model = dict(bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.15, 0.9))))
