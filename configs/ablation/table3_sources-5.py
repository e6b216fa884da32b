# Table 3: without conv11_2, 8764 boxes (74.6 with boundary boxes).
# The boxes per cell are ours: the paper gives the total.
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
model = dict(
    neck=dict(out_channels=(512, 256, 256), level_strides=(2, 2, 1), level_paddings=(1, 1, 0)),
    bbox_head=dict(
        anchor_generator=dict(
            min_sizes=[30, 60, 111, 162, (213, 264)],
            max_sizes=[60, 111, 162, 213, (264, 315)],
            ratios=[[2], [2, 3], [2, 3], [2, 3], [2]],
        )
    ),
)
