# BCCD's cells have one scale and one stain: no crops, no distorted colours, and little expansion (docs/accuracy.md).
_base_ = './bccd.py'
from ssd_plugin.config_edits import with_step

with_step(_base_, 'ssd_plugin.SSDAugment', crop=False, distort=False, expand_ratio_range=(1.0, 2.0))
