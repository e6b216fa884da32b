"""The levels that SSD adds to a backbone."""

from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from ssd_plugin.errors import UserError
from ssd_plugin.registry import MODELS


class L2Norm(nn.Module):
    """Scale every position's feature vector to unit length, then each channel by a learned factor.

    Args:
        channels: Channels of the map.
        scale: Initial factor of every channel.
        eps: Added to the squared length, inside the root.

    Source: docs/fidelity.md section 1.2; ``weiliu89/caffe: src/caffe/layers/normalize_layer.cpp``.
    """

    def __init__(self, channels: int, scale: float = 20.0, eps: float = 1e-10) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), float(scale)))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise.

        Args:
            x: (B, C, h, w).

        Returns:
            Same shape and dtype; computed in float32.
        """
        values = x.float()
        length = (values.square().sum(1, keepdim=True) + self.eps).rsqrt()
        return (values * length * self.weight[:, None, None].float()).type_as(x)


@MODELS.register_module()
class SSDNeck(BaseModule):
    """Scale the first map and go on from the last with extra layers; a drop-in for mmdet's SSDNeck.

    An extra layer is a 1x1 convolution to half its channels, then a convolution that makes the map smaller. State-dict
    keys: ``l2_norm.weight`` and ``extra_layers.i.j.conv.*``.

    Args:
        in_channels: Channels of the backbone's maps. ``None`` only inside :class:`ssd_plugin.models.SSD`, which
            measures them.
        out_channels: Channels of all levels, beginning with ``in_channels``, or of the extra layers alone.
        level_strides: Stride of each extra layer's second convolution.
        level_paddings: Its padding.
        l2_norm_scale: Initial scale of the first map's normalisation; ``None`` = no normalisation.
        last_kernel_size: Kernel of the last extra layer; 3 elsewhere.
        use_depthwise: Depthwise separable second convolutions.
        conv_cfg: Convolution layer config.
        norm_cfg: Normalisation layer config.
        act_cfg: Activation layer config.
        init_cfg: mmengine's initialisation config. ``None``: Caffe's "xavier", uniform with variance 1 / fan-in.

    Raises:
        UserError: Lists of lengths that do not go together, or channels that contradict each other.

    Source: docs/fidelity.md sections 1.2 and 1.3.
    """

    def __init__(
        self,
        in_channels: Optional[Sequence[int]],
        out_channels: Sequence[int],
        level_strides: Sequence[int],
        level_paddings: Sequence[int],
        l2_norm_scale: Optional[float] = 20.0,
        last_kernel_size: int = 3,
        use_depthwise: bool = False,
        conv_cfg: Optional[dict] = None,
        norm_cfg: Optional[dict] = None,
        act_cfg: Optional[dict] = None,
        init_cfg: Union[None, dict, list[dict]] = None,
    ) -> None:
        super().__init__(
            init_cfg
            or [
                dict(type='Caffe2Xavier', layer='Conv2d'),
                dict(type='Constant', val=1, layer=['BatchNorm2d', 'SyncBatchNorm']),
            ]
        )
        if in_channels is None:
            raise UserError('neck.in_channels: None is measured by ssd_plugin.SSD, expected one number per map')
        inputs, outputs, extra = tuple(in_channels), tuple(out_channels), len(level_strides)
        if len(level_paddings) != extra:
            raise UserError(f'neck.level_paddings: {level_paddings}, expected as many as level_strides={level_strides}')
        if len(outputs) == extra:
            outputs = inputs + outputs
        if len(outputs) != len(inputs) + extra or outputs[: len(inputs)] != inputs:
            raise UserError(
                f'neck.out_channels: {tuple(out_channels)} with in_channels={inputs} and {extra} extra layers, '
                f'expected {extra} numbers, or {len(inputs) + extra} that begin with in_channels'
            )
        self.out_channels = outputs
        if l2_norm_scale is not None:
            self.l2_norm = L2Norm(inputs[0], l2_norm_scale)
        second = DepthwiseSeparableConvModule if use_depthwise else ConvModule
        style: dict[str, Optional[dict]] = dict(
            conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=dict(type='ReLU') if act_cfg is None else act_cfg
        )
        self.extra_layers = nn.ModuleList()
        for i in range(extra):
            before, width = outputs[len(inputs) + i - 1 : len(inputs) + i + 1]
            kernel = last_kernel_size if i == extra - 1 else 3
            self.extra_layers.append(
                nn.Sequential(
                    ConvModule(before, width // 2, 1, **style),
                    second(width // 2, width, kernel, stride=level_strides[i], padding=level_paddings[i], **style),
                )
            )

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Make the maps of all levels.

        Args:
            inputs: The backbone's maps, shallow first, each (B, C, h, w).

        Returns:
            The same, the first one normalised, followed by one map per extra layer.
        """
        outs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        x = outs[-1]
        if hasattr(self, 'l2_norm'):
            outs[0] = self.l2_norm(outs[0])
        for layer in self.extra_layers:
            x = layer(x)
            outs.append(x)
        return tuple(outs)
