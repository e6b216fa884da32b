# A rectangle of the ratio of the original images (640x480): nothing is squeezed.
_base_ = './ssd300_r18_bccd.py'
from ssd_plugin.config_edits import at_size

at_size(_base_, (400, 300))  # width, height
