# Without the expansion trick: section 3.3 of the paper.
_base_ = './ssd300_vgg16_voc0712pp.py'
from ssd_plugin.config_edits import trained_for, without_expansion

without_expansion(_base_)
trained_for(_base_, 80000, milestones=[60000])
