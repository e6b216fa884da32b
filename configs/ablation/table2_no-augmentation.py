# Table 2: original image and horizontal flip only (65.5). That colour is left alone too is our reading.
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
from ssd_plugin.config_edits import with_step

with_step(_base_, 'ssd_plugin.SSDAugment', distort=False, crop=False, random_interpolation=False)
