# Without the expansion trick: section 3.1 of the paper (68.0 mAP with 300, 71.6 with 512).
_base_ = './ssd300_vgg16_voc07.py'
from ssd_plugin.config_edits import trained_for, without_expansion

without_expansion(_base_)
trained_for(_base_, 60000, milestones=[40000, 50000])
