# A rectangle of the ratio of the original images (640x480): nothing is squeezed.
_base_ = './ssd300_r18_bccd.py'
from ssd_plugin.config_edits import at_size

at_size(_base_, (400, 300))  # width, height
anchor_generator = dict(
    min_sizes=[25, 65, 111, 96, 213, 264],
    max_sizes=[120, 86, 162, 213, 264, 315],
    ratios=[[1.3], [1.3, 1.7], [2, 1.3], [2, 3], [2], [2]],
)
model = dict(bbox_head=dict(anchor_generator=anchor_generator))
