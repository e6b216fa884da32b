# The authors' augmentation and test input (paper, section 2.2).
input_size = (300, 300)  # W, H
train_pipeline = [
    dict(type='ssd_plugin.LoadImage'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='ssd_plugin.SSDFilterBoxes'),
    dict(type='ssd_plugin.SSDAugment', scale=input_size),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ssd_plugin.SSDResize', scale=input_size, random_interpolation=False),
    # After the resize: metrics compare in pixels of the original image.
    dict(type='LoadAnnotations', with_bbox=True),
    # The COCO metric takes the objects of a VOC data set from `instances`.
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'instances'),
    ),
]
