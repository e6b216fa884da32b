"""The detector."""

from collections.abc import Sequence
from typing import Any, Optional, Union

import torch
from mmdet.models.detectors import SingleStageDetector
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.logging import print_log
from terminaltables import AsciiTable
from torch import Tensor

from ssd_plugin.registry import MODELS

from .geometry import box_strides, fill_missing, infer_feature_shapes, input_size_pair, plan_extra_layers

# Channels of the extra levels, published for SSD300 and SSD512; the last one serves all further levels.
EXTRA_CHANNELS = (512, 256)


@MODELS.register_module()
class SSD(SingleStageDetector):
    """Single-stage detector that measures its own geometry.

    The backbone is built and run once on the meta device. Whatever the configs of neck and head leave open (channels,
    extra levels, steps and sizes of the default boxes) is filled in from the maps it gives, so that input size and
    backbone are one entry each. With the published backbone the result is the published SSD300 and SSD512.

    Args:
        backbone: Any mmdet backbone config.
        neck: Config; ``ssd_plugin.SSDNeck`` without ``level_strides`` gets as many extra levels as the size asks for.
        bbox_head: Config.
        input_size: Side of the network's input, or (W, H), pixels.
        channels_last: Keep weights and images in channels-last order, which is the faster one on CPUs and GPUs.
        train_cfg: For the head.
        test_cfg: For the head.
        data_preprocessor: Config.
        init_cfg: mmengine's initialisation config.

    Raises:
        ValueError: An explicit number contradicts what the network gives.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        bbox_head: dict,
        input_size: Union[int, Sequence[int]],
        channels_last: bool = True,
        train_cfg: Optional[dict] = None,
        test_cfg: Optional[dict] = None,
        data_preprocessor: Optional[dict] = None,
        init_cfg: Union[None, dict, list[dict]] = None,
    ) -> None:
        # SingleStageDetector's own __init__ builds all parts from complete configs; these become complete here.
        super(SingleStageDetector, self).__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.input_size = input_size_pair(input_size)
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        self.backbone = MMDET_MODELS.build(backbone)
        maps = infer_feature_shapes([self.backbone], self.input_size)
        self.neck = MMDET_MODELS.build(_complete_neck(neck, maps))
        levels = infer_feature_shapes([self.backbone, self.neck], self.input_size)
        off_grid = getattr(self.neck, 'off_grid', [False] * len(levels))
        strides = box_strides(levels, self.input_size, off_grid)
        head = fill_missing(bbox_head, dict(in_channels=tuple(level.channels for level in levels)), 'bbox_head')
        head['anchor_generator'] = fill_missing(
            head.get('anchor_generator', dict(type='ssd_plugin.SSDAnchorGenerator')),
            dict(strides=strides, input_size=self.input_size),
            'bbox_head.anchor_generator',
        )
        self.bbox_head = MMDET_MODELS.build({**head, 'train_cfg': train_cfg, 'test_cfg': test_cfg})
        self.map_sizes = [(level.height, level.width) for level in levels]
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.to(memory_format=self.memory_format)

    def describe(self) -> str:
        """A table of the levels: map, step between boxes, box sizes, number of boxes."""
        rows = self.bbox_head.prior_generator.describe(self.map_sizes)
        total = sum(row[-1] for row in rows)
        width, height = self.input_size
        table = AsciiTable(
            [['level', 'map', 'step', 'box size', 'boxes'], *map(list, rows), ['', '', '', 'all', total]]
        )
        return f'Default boxes for an input of {width}x{height}\n{table.table}'

    def init_weights(self) -> None:
        """Initialise, and log the measured geometry."""
        super().init_weights()
        print_log(self.describe(), logger='current')

    def extract_feat(self, batch_inputs: Tensor) -> Any:
        """Maps of all levels.

        Args:
            batch_inputs: (B, 3, H, W) float.
        """
        return super().extract_feat(batch_inputs.contiguous(memory_format=self.memory_format))


def _complete_neck(neck: dict, maps: Sequence[Any]) -> dict[str, Any]:
    filled = fill_missing(neck, dict(in_channels=tuple(shape.channels for shape in maps)), 'neck')
    if 'level_strides' in filled or filled['type'] not in ('ssd_plugin.SSDNeck', 'SSDNeck', 'mmdet.SSDNeck'):
        return filled
    extra = plan_extra_layers(maps[-1].height, maps[-1].width)
    widths = [EXTRA_CHANNELS[min(i, len(EXTRA_CHANNELS) - 1)] for i in range(len(extra))]
    return fill_missing(
        filled,
        dict(
            out_channels=(*filled['in_channels'], *widths),
            level_strides=tuple(level.stride for level in extra),
            level_paddings=tuple(level.padding for level in extra),
            last_kernel_size=extra[-1].kernel if extra else 3,
        ),
        'neck',
    )
