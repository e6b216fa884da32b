"""Random weights, and the network that the converted ones are for."""

from collections.abc import Callable

import pytest
import torch
from mmdet.models import SSDVGG, SSDHead, SSDNeck
from plain_ssd import CLASSES, EXTRAS, RATIOS, STRIDES, Outputs, PlainSSD, make_plain
from torch import Tensor


@pytest.fixture(scope='session')
def plain300() -> PlainSSD:
    return make_plain(300)


@pytest.fixture(scope='session')
def plain512() -> PlainSSD:
    return make_plain(512)


@pytest.fixture(scope='session')
def image() -> Tensor:
    """The smallest input that both networks take, in the order of colours that the source reads."""
    return torch.randn(1, 3, 258, 258, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope='session')
def plain_outputs(plain300: PlainSSD, plain512: PlainSSD, image: Tensor) -> dict[int, Outputs]:
    """What both networks give."""
    with torch.no_grad():
        return {300: plain300(image), 512: plain512(image)}


@pytest.fixture(scope='session')
def network() -> Callable[[dict[str, Tensor], int, Tensor], Outputs]:
    """Runs our network: state dict, 300 or 512, image -> class and box outputs per level."""
    built: dict[int, torch.nn.ModuleDict] = {}

    def build(size: int) -> torch.nn.ModuleDict:
        extras = EXTRAS[size]
        neck = SSDNeck(
            in_channels=(512, 1024),
            out_channels=(512, 1024, *(out for out, *_ in extras[1::2])),
            level_strides=[stride for _, _, stride, _ in extras[1::2]],
            level_paddings=[padding for *_, padding in extras[1::2]],
            last_kernel_size=extras[-1][1],
        )
        head = SSDHead(
            num_classes=CLASSES,
            in_channels=(512, 1024, *(out for out, *_ in extras[1::2])),
            anchor_generator={
                'type': 'SSDAnchorGenerator',
                'scale_major': False,
                'input_size': size,
                'basesize_ratio_range': (0.15, 0.9),
                'strides': STRIDES[size],
                'ratios': RATIOS[size],
            },
        )
        backbone = SSDVGG(depth=16, ceil_mode=True, out_indices=(3, 4), out_feature_indices=(22, 34))
        return torch.nn.ModuleDict({'backbone': backbone, 'neck': neck, 'bbox_head': head}).eval()

    def run(state_dict: dict[str, Tensor], size: int, image: Tensor) -> Outputs:
        if size not in built:
            built[size] = build(size)
        parts = built[size]
        parts.load_state_dict(state_dict)
        with torch.no_grad():
            cls, reg = parts['bbox_head'](parts['neck'](parts['backbone'](image)))
        return cls, reg

    return run
