"""The whole training pipeline over real images with their annotation errors."""

import numpy as np
import pytest
import torch
from mmdet.datasets import VOCDataset

AUGMENT = [dict(type='ssd_plugin.SSDAugment', scale=(300, 300))]
STEPS = [
    dict(type='ssd_plugin.SSDPhotometricDistort'),
    dict(type='ssd_plugin.SSDExpand'),
    dict(type='ssd_plugin.SSDBatchSampleCrop'),
    dict(type='ssd_plugin.SSDResize', scale=(300, 300)),
    dict(type='RandomFlip', prob=0.5),
]


def bccd(root, augmentation, split='trainval'):
    return VOCDataset(
        data_root=str(root),
        ann_file=f'ImageSets/Main/{split}.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=('RBC', 'WBC', 'Platelets')),
        pipeline=[
            dict(type='ssd_plugin.LoadImage'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='ssd_plugin.SSDFilterBoxes', use_difficult_gt=True),
            *augmentation,
            dict(type='PackDetInputs'),
        ],
    )


def check(sample):
    assert sample['inputs'].shape == (3, 300, 300)
    assert sample['inputs'].dtype == torch.uint8
    assert sample['inputs'].float().std() > 0
    instances = sample['data_samples'].gt_instances
    boxes = instances.bboxes.tensor
    assert boxes.dtype == torch.float32
    assert torch.isfinite(boxes).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes >= 0).all()
    assert (boxes <= 300).all()
    assert len(boxes) == len(instances.labels)
    assert len(sample['data_samples'].ignored_instances.bboxes) == 0
    assert set(instances.labels.tolist()) <= {0, 1, 2}
    return len(boxes)


@pytest.mark.parametrize(('augmentation', 'stride'), [(AUGMENT, 1), (STEPS, 8)], ids=['one pass', 'steps'])
def test_every_training_image_gives_sound_samples(bccd_root, augmentation, stride):
    dataset = bccd(bccd_root, augmentation, split='train')
    assert len(dataset) == 205
    counts = [check(dataset[index]) for index in range(0, len(dataset), stride)]
    # About 13 objects an image, fewer where a crop was taken.
    assert 6 < np.mean(counts) < 14


def test_boxes_without_area_are_left_out(bccd_root):
    dataset = bccd(bccd_root, AUGMENT)
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    flat = [
        index
        for index, info in enumerate(infos)
        if any(box['bbox'][2] <= box['bbox'][0] or box['bbox'][3] <= box['bbox'][1] for box in info['instances'])
    ]
    assert {infos[index]['img_id'] for index in flat} == {'BloodImage_00338', 'BloodImage_00343'}
    for index in flat:
        for _ in range(10):
            check(dataset[index])
