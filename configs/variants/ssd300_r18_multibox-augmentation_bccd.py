# The paper's augmentation, with crops, expansion up to four times and distorted colours.
_base_ = '../bccd/ssd300_r18_bccd.py'
from ssd_plugin.config_edits import with_step

with_step(_base_, 'ssd_plugin.SSDAugment', crop=True, distort=True, expand_ratio_range=(1.0, 4.0))
