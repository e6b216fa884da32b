"""Builds small detectors with a part swapped, and lets them learn and predict."""

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.structures import InstanceData

SIDE = 96
RESNET = dict(type='ResNet', depth=18, base_channels=16, out_indices=(1, 2, 3), norm_eval=False)
ASSIGNER = dict(type='ssd_plugin.SSDAssigner')
MINING = dict(type='ssd_plugin.HardNegativeSampler', min_negatives=4)
SSD_NECK = dict(type='ssd_plugin.SSDNeck', l2_norm_scale=None)
FPN = dict(type='FPN', out_channels=32)
POINT_PRIORS = dict(type='AnchorGenerator', ratios=[1.0], octave_base_scale=4, scales_per_octave=1)


def build(backbone=RESNET, neck=SSD_NECK, assigner=ASSIGNER, sampler=MINING, test_cfg=None, side=SIDE, **head):
    register_all_modules()
    detector = MODELS.build(
        dict(
            type='ssd_plugin.SSD',
            backbone=backbone,
            neck=neck,
            bbox_head={'type': 'ssd_plugin.SSDHead', 'num_classes': 3, **head},
            input_size=side,
            train_cfg=dict(assigner=assigner, sampler=sampler),
            test_cfg=dict(score_thr=1e-4, max_per_img=10) if test_cfg is None else test_cfg,
        )
    )
    detector.init_weights()
    return detector


def sample(*boxes):
    data = DetDataSample(
        metainfo=dict(img_shape=(SIDE, SIDE), ori_shape=(SIDE, SIDE), scale_factor=(1.0, 1.0), pad_shape=(SIDE, SIDE))
    )
    data.gt_instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), labels=torch.arange(len(boxes)) % 3
    )
    return data


def learn_and_predict(detector):
    images = torch.randn((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0))
    samples = [sample([8, 8, 40, 44], [30, 50, 90, 90]), sample()]
    losses = detector.parse_losses(detector.loss(images, samples))[1]
    assert {'loss_cls', 'loss_bbox'} <= set(losses)
    assert all(value.isfinite() for value in losses.values())
    assert all(value > 0 for value in losses.values())
    losses['loss'].backward()
    unmoved = [name for name, p in detector.named_parameters() if p.requires_grad and p.grad is None]
    with torch.no_grad():
        found = detector.eval().predict(images, samples)
    assert all(0 < len(data.pred_instances) <= 10 for data in found)
    return losses, unmoved
