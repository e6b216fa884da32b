"""The convolutions that predict from one level."""

from typing import Optional

from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import nn


def build_predictor(
    channels: int,
    out_channels: int,
    stacked_convs: int,
    feat_channels: int,
    use_depthwise: bool,
    **style: Optional[dict],
) -> nn.Sequential:
    """Build the convolutions of one branch of one level.

    Args:
        channels: Of the level.
        out_channels: Numbers per cell.
        stacked_convs: 3x3 convolutions in front of the predictor.
        feat_channels: Their channels.
        use_depthwise: Make all of them depthwise separable.
        **style: ``conv_cfg``, ``norm_cfg`` and ``act_cfg`` of all but the last, which is a plain convolution.
    """
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
