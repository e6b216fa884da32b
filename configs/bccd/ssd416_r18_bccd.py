# Another size: the levels, steps and sizes of the default boxes follow.
_base_ = './ssd300_r18_bccd.py'
from ssd_plugin.config_edits import at_size

at_size(_base_, 416)
