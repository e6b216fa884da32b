"""The convolutions that predict from one level."""

from typing import Any

from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import nn


def build_predictor(
    stacked_convs: int, feat_channels: int, use_depthwise: bool, style: dict[str, Any], channels: int, out_channels: int
) -> nn.Sequential:
    """Build one branch of one level; ``style`` holds the layer configs of all but the last, a plain convolution."""
    conv = DepthwiseSeparableConvModule if use_depthwise else ConvModule
    layers: list[nn.Module] = []
    for _ in range(stacked_convs):
        layers.append(conv(channels, feat_channels, 3, padding=1, **style))
        channels = feat_channels
    if use_depthwise:
        layers.append(ConvModule(channels, channels, 3, padding=1, groups=channels, **style))
        layers.append(nn.Conv2d(channels, out_channels, 1))
    else:
        layers.append(nn.Conv2d(channels, out_channels, 3, padding=1))
    return nn.Sequential(*layers)
