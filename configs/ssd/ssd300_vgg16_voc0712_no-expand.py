# Without the expansion trick.
_base_ = './ssd300_vgg16_voc0712.py'
from ssd_plugin.config_edits import trained_for, without_expansion

without_expansion(_base_)
trained_for(_base_, 60000, milestones=[40000, 50000])
