# Without the expansion trick: section 3.5 of the paper (43.4 mAP on val2), of as many iterations.
_base_ = './ssd300_vgg16_ilsvrc-det.py'
from ssd_plugin.config_edits import without_expansion

without_expansion(_base_)
