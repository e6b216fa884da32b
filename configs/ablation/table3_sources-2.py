# Table 3: conv4_3 and conv7, 9025 boxes (64.2 with boundary boxes).
# The boxes per cell are ours: the paper gives the total.
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
model = dict(
    neck=dict(out_channels=(), level_strides=(), level_paddings=()),
    bbox_head=dict(
        anchor_generator=dict(min_sizes=[30, (81, 147, 264)], max_sizes=[60, (None, None, None)], ratios=[[2], [2]])
    ),
)
