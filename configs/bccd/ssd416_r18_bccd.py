# Another size: the levels and steps of the default boxes follow, their sizes are fitted anew.
_base_ = './ssd300_r18_bccd.py'
from ssd_plugin.config_edits import at_size

at_size(_base_, 416)
anchor_generator = dict(
    min_sizes=[29, 83, 154, 199, 257, 316, 374],
    max_sizes=[152, 141, 199, 257, 316, 374, 432],
    ratios=[[1.5], [1.3, 1.7], [1.3, 3], [2, 3], [2, 3], [2], [2]],
)
model = dict(bbox_head=dict(anchor_generator=anchor_generator))
