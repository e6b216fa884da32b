"""A batch of one image trains, whatever backbone, neck and head see 1x1 maps; it raised inside batch normalisation."""

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.structures import InstanceData

NORM = dict(norm_cfg=dict(type='BN'))
RESNET = dict(type='ResNet', depth=18, base_channels=8, out_indices=(1, 2, 3), norm_eval=False, **NORM)
MOBILENET = dict(type='MobileNetV2', widen_factor=0.25, out_indices=(2, 4, 7))
OUR_NECK = dict(type='ssd_plugin.SSDNeck', **NORM)
FPN = dict(type='FPN', out_channels=16, num_outs=5, **NORM)


def build(backbone, neck, head, size):
    register_all_modules()
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='ssd_plugin.SSD',
            backbone=backbone,
            neck=neck,
            bbox_head=dict(type='ssd_plugin.SSDHead', num_classes=3, in_channels=None, **head),
            input_size=size,
            train_cfg=dict(assigner=dict(type='ssd_plugin.SSDAssigner')),
        )
    )


def loss(detector, images):
    instances = InstanceData(bboxes=torch.tensor([[4.0, 4.0, 40.0, 40.0]]), labels=torch.tensor([1]))
    samples = [DetDataSample(gt_instances=instances, metainfo=dict(img_shape=(64, 64))) for _ in range(images)]
    return sum(torch.as_tensor(term).sum() for term in detector.loss(torch.randn(images, 3, 64, 64), samples).values())


@pytest.mark.parametrize(
    ('backbone', 'neck', 'head', 'size'),
    [
        (RESNET, OUR_NECK, {}, 64),
        (RESNET, dict(OUR_NECK, norm_cfg=dict(type='SyncBN')), {}, 64),
        (MOBILENET, OUR_NECK, {}, 64),
        (RESNET, FPN, dict(stacked_convs=1, **NORM), 64),
        (RESNET, [FPN, dict(OUR_NECK, l2_norm_scale=None)], {}, 64),
        (MOBILENET, OUR_NECK, dict(use_depthwise=True, **NORM), 64),
    ],
)
def test_one_image_trains_and_its_gradients_are_finite(backbone, neck, head, size):
    detector = build(backbone, neck, head, size).train()
    total = loss(detector, images=1)
    total.backward()
    gradients = [weight.grad for weight in detector.parameters() if weight.grad is not None]
    assert torch.isfinite(total)
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert all(module.training for module in detector.modules())
