"""Narrow networks train on a CPU, see docs/upstream/onednn_channels_last_crash.md."""

import os

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData


def narrow():
    return MODELS.build(
        dict(
            type='ssd_plugin.SSD',
            input_size=512,
            backbone=dict(type='ResNet', depth=18, base_channels=8, out_indices=(1, 2)),
            neck=dict(type='ssd_plugin.SSDNeck', out_channels=(16,), level_strides=(2,), level_paddings=(1,)),
            bbox_head=dict(type='ssd_plugin.SSDHead', num_classes=2),
            train_cfg=dict(assigner=dict(type='ssd_plugin.SSDAssigner')),
        )
    )


def train(detector, dtype):
    torch.set_num_threads(1)
    sample = DetDataSample(metainfo=dict(img_shape=(512, 512)))
    sample.gt_instances = InstanceData(bboxes=torch.tensor([[10.0, 20, 260, 280]]), labels=torch.tensor([1]))
    for _ in range(3):
        with torch.autocast('cpu', torch.bfloat16, enabled=dtype == 'bfloat16'):
            losses = detector.loss(torch.randn(2, 3, 512, 512), [sample, sample])
        sum(losses.values()).backward()
    assert detector.backbone.layer2[0].downsample[0].weight.grad.isfinite().all()


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_a_network_of_few_channels_survives_training(dtype):
    detector = narrow()
    child = os.fork()  # so that a crash is seen
    if child == 0:
        status = 1
        try:
            train(detector, dtype)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
