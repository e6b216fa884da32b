"""VGG trunk with fc6 and fc7 as convolutions."""

import warnings
from collections.abc import Sequence
from typing import Optional

from mmcv.cnn.vgg import VGG, make_vgg_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from ssd_plugin.errors import UserError
from ssd_plugin.registry import MODELS

BLOCK_CHANNELS = (64, 128, 256, 512, 512)


@MODELS.register_module()
class SSDVGG(BaseModule):
    """VGG cut after fc7, the fully connected layers turned into convolutions; a drop-in for mmdet's SSDVGG.

    State-dict keys are ``features.N.*`` with mmdet's numbers, so published VGG and SSD weights load unchanged.

    Args:
        depth: 11, 13, 16 or 19.
        with_last_pool: Keep VGG's own fifth pooling in front of SSD's.
        ceil_mode: Round map sizes up in the poolings, as Caffe always does.
        out_indices: Accepted for mmdet's configs; which maps come out is told by the next two.
        out_feature_indices: Positions in ``features`` of the maps to return. ``None``: by name.
        pretrained: Path or address of a checkpoint; the older spelling of ``init_cfg=dict(type='Pretrained', ...)``.
        init_cfg: mmengine's initialisation config. ``None``: Kaiming.
        input_size: Accepted for old mmdet configs, unused.
        l2_norm_scale: Accepted for old mmdet configs, unused; the scaling is the neck's.
        with_bn: Batch normalisation after every convolution of the five blocks.
        atrous: True: pool5 3x3 of stride 1, fc6 3x3 dilated by 6 with 1024 channels, fc7 with 1024. False (paper,
            Table 2): pool5 2x2 of stride 2, fc6 7x7 and fc7 with VGG's full 4096 channels.
        out_layers: Names of the maps to return: ``convB_K``, ``poolB``, ``fc6``, ``fc7``; after the ReLU.

    Raises:
        UserError: Unknown depth or layer name, or both ``init_cfg`` and ``pretrained``.

    Source: docs/fidelity.md sections 1.1 and 8.2; ``weiliu89/caffe: python/caffe/model_libs.py`` (VGGNetBody).
    """

    def __init__(
        self,
        depth: int = 16,
        with_last_pool: bool = False,
        ceil_mode: bool = True,
        out_indices: Sequence[int] = (3, 4),
        out_feature_indices: Optional[Sequence[int]] = None,
        pretrained: Optional[str] = None,
        init_cfg: Optional[dict] = None,
        input_size: Optional[int] = None,
        l2_norm_scale: Optional[float] = None,
        with_bn: bool = False,
        atrous: bool = True,
        out_layers: Sequence[str] = ('conv4_3', 'fc7'),
    ) -> None:
        if depth not in VGG.arch_settings:
            raise UserError(f'backbone.depth: {depth}, expected one of {sorted(VGG.arch_settings)}')
        if init_cfg and pretrained:
            raise UserError(f'backbone.pretrained: {pretrained!r} with init_cfg={init_cfg}, expected one of the two')
        for name, value in (('input_size', input_size), ('l2_norm_scale', l2_norm_scale)):
            if value is not None:
                warnings.warn(f'SSDVGG: {name}={value} has no effect', stacklevel=2)
        if pretrained:
            init_cfg = dict(type='Pretrained', checkpoint=pretrained)
        super().__init__(
            init_cfg
            or [
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Constant', val=1, layer=['BatchNorm2d', 'SyncBatchNorm']),
            ]
        )
        self.atrous = atrous
        layers, names = _blocks(VGG.arch_settings[depth], with_bn, ceil_mode, with_last_pool)
        layers += _tail(atrous, ceil_mode)
        names.update(pool5=len(layers) - 5, fc6=len(layers) - 3, fc7=len(layers) - 1)
        self.features = nn.Sequential(*layers)
        self.layer_names: dict[str, int] = names
        if out_feature_indices is not None:
            self.out_feature_indices = tuple(out_feature_indices)
            if max(self.out_feature_indices) >= len(layers):
                raise UserError(
                    f'backbone.out_feature_indices: {self.out_feature_indices}, expected less than {len(layers)}'
                )
        else:
            unknown = [name for name in out_layers if name not in names]
            if unknown:
                raise UserError(f'backbone.out_layers: {unknown} not in VGG-{depth}, expected some of {list(names)}')
            self.out_feature_indices = tuple(sorted(names[name] for name in out_layers))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Extract the feature maps of an image.

        Args:
            x: (B, 3, H, W) float.

        Returns:
            One (B, C, h, w) per output, shallow first; a plain tensor where there is only one.
        """
        outs = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.out_feature_indices:
                outs.append(x)
        return outs[0] if len(outs) == 1 else tuple(outs)  # type: ignore[return-value]


def _blocks(
    depths: Sequence[int], with_bn: bool, ceil_mode: bool, with_last_pool: bool
) -> tuple[list[nn.Module], dict[str, int]]:
    """Make the layers of the five blocks, and at which position each named layer's output appears."""
    layers: list[nn.Module] = []
    names: dict[str, int] = {}
    channels = 3
    for block, (count, width) in enumerate(zip(depths, BLOCK_CHANNELS), start=1):
        for position, layer in enumerate(make_vgg_layer(channels, width, count, with_bn=with_bn, ceil_mode=ceil_mode)):
            layers.append(layer)
            if isinstance(layer, nn.ReLU):
                names[f'conv{block}_{position // (2 + with_bn) + 1}'] = len(layers) - 1
        names[f'pool{block}'] = len(layers) - 1
        channels = width
    if not with_last_pool:
        layers.pop()
    return layers, names


def _tail(atrous: bool, ceil_mode: bool) -> list[nn.Module]:
    before = BLOCK_CHANNELS[-1]
    if atrous:
        pool = nn.MaxPool2d(kernel_size=3, stride=1, padding=1)
        fc6 = nn.Conv2d(before, 2 * before, kernel_size=3, padding=6, dilation=6)
    else:
        pool = nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=ceil_mode)
        fc6 = nn.Conv2d(before, 8 * before, kernel_size=7, padding=3)
    width = fc6.out_channels
    return [pool, fc6, nn.ReLU(inplace=True), nn.Conv2d(width, width, kernel_size=1), nn.ReLU(inplace=True)]
