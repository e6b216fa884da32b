# With --tta the test image is predicted as it is and mirrored, by mmdet's tools/test.py too.
_base_ = '../bccd/ssd300_r18_bccd.py'
from ssd_plugin.config_edits import with_tta

with_tta(_base_)
