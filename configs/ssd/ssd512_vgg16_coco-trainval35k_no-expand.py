# Without the expansion trick. Milestones as for SSD300.
_base_ = './ssd512_vgg16_coco-trainval35k.py'
from ssd_plugin.config_edits import trained_for, without_expansion

without_expansion(_base_)
trained_for(_base_, 240000, milestones=[160000, 200000])
