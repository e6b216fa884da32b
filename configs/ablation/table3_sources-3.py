# Table 3: the first three layers, 9864 boxes (70.7 with boundary boxes).
# The boxes per cell are ours: the paper gives the total.
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
model = dict(
    neck=dict(out_channels=(512,), level_strides=(2,), level_paddings=(1,)),
    bbox_head=dict(
        anchor_generator=dict(
            min_sizes=[30, (60, 111), (162, 213, 264)],
            max_sizes=[60, (111, 162), (213, 264, 315)],
            ratios=[[2], [2], [2]],
        )
    ),
)
