# SSD300 of the paper; geometry that is not here is measured from the network (ssd_plugin.SSD).
model = dict(
    type='ssd_plugin.SSD',
    input_size=300,
    # The authors' mean. RGB, as mmdet feeds the checkpoint below and tools/convert_weights.py turns all others.
    data_preprocessor=dict(type='DetDataPreprocessor', mean=[123, 117, 104], std=[1, 1, 1], bgr_to_rgb=True),
    backbone=dict(type='ssd_plugin.SSDVGG', init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://vgg16_caffe')),
    neck=dict(type='ssd_plugin.SSDNeck', l2_norm_scale=20),
    bbox_head=dict(
        type='ssd_plugin.SSDHead',
        num_classes=20,
        anchor_generator=dict(type='ssd_plugin.SSDAnchorGenerator', basesize_ratio_range=(0.2, 0.9)),
    ),
    train_cfg=dict(
        assigner=dict(type='ssd_plugin.SSDAssigner', pos_iou_thr=0.5),
        sampler=dict(type='ssd_plugin.HardNegativeSampler', neg_pos_ratio=3),
    ),
    test_cfg=dict(score_thr=0.01, nms_pre_per_class=400, nms=dict(type='nms', iou_threshold=0.45), max_per_img=200),
)
