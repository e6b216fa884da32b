# SSDLite on MobileNetV3-Large, from random weights: torchvision's ssdlite320_mobilenet_v3_large, whose released weights
# tools/convert_weights.py makes fit. Batch normalisation has the base's eps 0.001 and momentum 0.03, torchvision's too.
_base_ = './ssdlite320_mobilenetv2.py'
normal = dict(type='Normal', layer='Conv2d', std=0.03)
model = dict(
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    backbone=dict(
        _delete_=True,
        type='ssd_plugin.MobileNetV3',
        reduced_tail=True,
        norm_cfg=_base_.norm_cfg,
        init_cfg=normal,
    ),
    neck=dict(init_cfg=normal),
    bbox_head=dict(
        init_cfg=normal,
        anchor_generator=dict(
            strides=[16, 32, 64, 320 / 3, 160, 320],
            min_sizes=[64, 112, 160, 208, 256, 304],
            max_sizes=[112, 160, 208, 256, 304, 320],
        ),
        bbox_coder=dict(type='ssd_plugin.DeltaBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2), clip_border=True),
    ),
    test_cfg=dict(score_thr=0.001, nms_pre_per_class=300, nms=dict(iou_threshold=0.55), max_per_img=300),
)
