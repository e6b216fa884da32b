"""Tiny heads with outputs written by hand."""

import pytest
import torch
from mmengine.structures import InstanceData

from ssd_plugin.models import SSDHead


@pytest.fixture(scope='session')
def strip_head():
    """Makes heads over one row of 10x10 boxes side by side, one box a cell, or over several such rows as levels."""

    def build(num_classes=2, levels=1, **settings):
        generator = dict(
            type='ssd_plugin.SSDAnchorGenerator',
            strides=[10] * levels,
            ratios=[[]] * levels,
            min_sizes=[10] * levels,
            max_sizes=[None] * levels,
        )
        settings.setdefault('train_cfg', dict(sampler=dict(type='ssd_plugin.HardNegativeSampler')))
        return SSDHead(num_classes, in_channels=(4,) * levels, anchor_generator=generator, **settings)

    return build


@pytest.fixture(params=[torch.contiguous_format, torch.channels_last], ids=['nchw', 'nhwc'])
def raw_map(request):
    """Turns (B, h * w * A, K) numbers into a leaf (B, A * K, h, w), in both memory orders."""

    def build(values, height=1, boxes=1):
        values = torch.as_tensor(values, dtype=torch.float32)
        batch, count, width = values.shape
        out = values.reshape(batch, height, count // boxes // height, boxes * width).permute(0, 3, 1, 2)
        return out.clone(memory_format=request.param).requires_grad_()

    return build


@pytest.fixture
def objects():
    """Makes an image's gt instances."""

    def build(boxes=(), labels=()):
        return InstanceData(
            bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
            labels=torch.tensor(labels, dtype=torch.int64),
        )

    return build
