# SSD300 on ResNet-18 for few images: the score learns how well its box fits, and overlapping boxes vote on where a
# detection is. What each choice gives: docs/accuracy.md.
_base_ = './ssd300_r18.py'
model = dict(
    bbox_head=dict(
        loss_cls=dict(type='QualityFocalLoss'),
        loss_bbox=dict(type='GIoULoss', loss_weight=2.0),
    ),
    train_cfg=dict(sampler=None),
    test_cfg=dict(score_thr=0.05, nms_pre_per_class=1000, nms=dict(iou_threshold=0.6), score_voting=True),
)
