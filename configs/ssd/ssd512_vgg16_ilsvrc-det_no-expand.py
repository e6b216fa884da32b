# Without the expansion trick, of as many iterations, as for SSD300.
_base_ = './ssd512_vgg16_ilsvrc-det.py'
from ssd_plugin.config_edits import without_expansion

without_expansion(_base_)
