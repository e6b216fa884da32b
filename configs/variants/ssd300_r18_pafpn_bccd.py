# A path-aggregation pyramid alone, its coarsest maps pooled, and one head for all levels.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(
    neck=dict(_delete_=True, type='PAFPN', out_channels=256, num_outs=6),
    bbox_head=dict(share_conv=True, anchor_generator=dict(ratios=[[1.3, 1.5]] * 6)),
)
