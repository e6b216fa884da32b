# Table 3: conv7 alone, 8664 boxes (62.4 with boundary boxes). The boxes per cell are ours: the paper gives the total.
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
model = dict(
    backbone=dict(out_layers=('fc7',)),
    neck=dict(l2_norm_scale=None, out_channels=(), level_strides=(), level_paddings=()),
    bbox_head=dict(
        anchor_generator=dict(
            min_sizes=[(30, 60, 111, 162, 213, 264)], max_sizes=[(60, 111, 162, 213, 264, 315)], ratios=[[2]]
        )
    ),
)
