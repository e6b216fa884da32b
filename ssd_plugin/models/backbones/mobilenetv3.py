"""MobileNetV3-Large, whose maps are taken inside its blocks."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Optional, Union

from mmcv.cnn import ConvModule
from mmdet.models.layers import InvertedResidual
from mmdet.models.utils import make_divisible
from mmengine.model import BaseModule
from torch import Tensor, nn

from ssd_plugin.errors import UserError
from ssd_plugin.registry import MODELS


class Block(NamedTuple):
    """An inverted residual block: 1x1 convolution to ``mid_channels``, depthwise convolution, 1x1 to ``channels``."""

    kernel_size: int
    mid_channels: int
    channels: int
    squeezes: bool
    act: str
    stride: int


#: Table 1 of the paper. A block that widens nothing (the first) has no first convolution.
BLOCKS = (
    Block(3, 16, 16, False, 'ReLU', 1),
    Block(3, 64, 24, False, 'ReLU', 2),
    Block(3, 72, 24, False, 'ReLU', 1),
    Block(5, 72, 40, True, 'ReLU', 2),
    Block(5, 120, 40, True, 'ReLU', 1),
    Block(5, 120, 40, True, 'ReLU', 1),
    Block(3, 240, 80, False, 'HSwish', 2),
    Block(3, 200, 80, False, 'HSwish', 1),
    Block(3, 184, 80, False, 'HSwish', 1),
    Block(3, 184, 80, False, 'HSwish', 1),
    Block(3, 480, 112, True, 'HSwish', 1),
    Block(3, 672, 112, True, 'HSwish', 1),
    Block(5, 672, 160, True, 'HSwish', 2),
    Block(5, 960, 160, True, 'HSwish', 1),
    Block(5, 960, 160, True, 'HSwish', 1),
)
#: How much wider the last blocks, and the convolution after them, are than what comes in.
TAIL_EXPANSION = 6
_BN = MappingProxyType(dict(type='BN', eps=0.001, momentum=0.01))


@MODELS.register_module()
class MobileNetV3(BaseModule):
    """MobileNetV3-Large as a detector's backbone (section 6.3 of the paper).

    Map i has stride 2**(i + 1). The last comes after the convolution that follows the blocks; the others are what the
    first convolution of the next block of stride 2 gives, which is several times as wide as a block's output.

    State-dict keys: ``layers.0`` and ``layers.16`` are the convolutions before and after the blocks, ``layers.1`` to
    ``layers.15`` mmdet's ``InvertedResidual``.

    Args:
        out_indices: Maps to give, shallow first, 0 to 4.
        reduced_tail: Halve the channels that come after stride 16, as the paper does for detection.
        norm_cfg: Normalisation layer config. ``None``: batch normalisation with the paper's momentum of 0.01.
        init_cfg: mmengine's initialisation config. ``None``: Kaiming.

    Raises:
        UserError: There is no such map.

    Source: arXiv 1905.02244, Tables 1 and 6; ``pytorch/vision: torchvision/models/mobilenetv3.py`` and
    ``torchvision/models/detection/ssdlite.py``, which give the same numbers.
    """

    def __init__(
        self,
        out_indices: Sequence[int] = (3, 4),
        reduced_tail: bool = False,
        norm_cfg: Optional[dict] = None,
        init_cfg: Union[None, dict, list[dict]] = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='Kaiming', layer='Conv2d'))
        if not set(out_indices) <= set(range(5)):
            raise UserError(f'backbone.out_indices: {tuple(out_indices)}, expected some of 0 to 4')
        self.out_indices = tuple(out_indices)
        norm_cfg = norm_cfg or dict(_BN)
        channels = BLOCKS[0].channels
        # Not attributes of their own: MMEngine would initialise those anew after `init_cfg`.
        self.layers = nn.ModuleList(
            [ConvModule(3, channels, 3, stride=2, padding=1, norm_cfg=norm_cfg, act_cfg=dict(type='HSwish'))]
        )
        for block in BLOCKS:
            if reduced_tail and block.channels == BLOCKS[-1].channels:
                block = block._replace(mid_channels=TAIL_EXPANSION * channels, channels=block.channels // 2)
            self.layers.append(_build_block(channels, block, norm_cfg))
            channels = block.channels
        self.layers.append(
            ConvModule(channels, TAIL_EXPANSION * channels, 1, norm_cfg=norm_cfg, act_cfg=dict(type='HSwish'))
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Extract the feature maps of images.

        Args:
            x: (B, 3, H, W) float.

        Returns:
            One (B, C, h, w) per output, shallow first.
        """
        maps = []
        for layer in self.layers:
            if isinstance(layer, InvertedResidual) and layer.depthwise_conv.stride == (2, 2):
                x = layer.expand_conv(x)
                maps.append(x)
                x = layer.depthwise_conv(x)
                x = layer.linear_conv(layer.se(x) if layer.with_se else x)
            else:
                x = layer(x)
        maps.append(x)
        return tuple(maps[i] for i in self.out_indices)


def _build_block(in_channels: int, block: Block, norm_cfg: dict[str, Any]) -> InvertedResidual:
    mid = block.mid_channels
    squeeze = dict(
        channels=mid,
        ratio=mid / make_divisible(mid // 4, 8),
        # mmcv's own HSigmoid warns at every use.
        act_cfg=(dict(type='ReLU'), dict(type=nn.Hardsigmoid)),
    )
    return InvertedResidual(
        in_channels,
        block.channels,
        mid,
        kernel_size=block.kernel_size,
        stride=block.stride,
        se_cfg=squeeze if block.squeezes else None,
        with_expand_conv=mid != in_channels,
        norm_cfg=norm_cfg,
        act_cfg=dict(type=block.act),
    )
