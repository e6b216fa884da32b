"""The detector."""

from collections.abc import Sequence
from typing import Any, Optional, Union

from mmdet.models.detectors import SingleStageDetector
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.logging import print_log
from terminaltables import AsciiTable
from torch import Tensor, nn

from ssd_plugin.errors import UserError
from ssd_plugin.models.build_part import build_part
from ssd_plugin.models.layers.single_value_norm import normalize_single_values
from ssd_plugin.registry import MODELS

from .complete_config import complete_head, complete_neck, complete_train_cfg
from .geometry import MapShape, box_strides, describe_levels, infer_feature_shapes, input_size_pair, off_grid_levels
from .memory_order import choose_memory_format
from .random_sizes import check_random_sizes


@MODELS.register_module()
class SSD(SingleStageDetector):
    """Single-stage detector that measures its own geometry.

    The backbone is built and run once on the meta device. Whatever the configs of neck and head leave open (channels,
    extra layers, steps and sizes of the default boxes) is filled in from the maps it gives, so that input size,
    backbone, neck and head are one entry each. With the published backbone the result is the published SSD300 and
    SSD512.

    Args:
        backbone: Any mmdet backbone config.
        neck: Any mmdet neck config, a list of them, or None; ``SSDNeck`` without ``level_strides`` gets as many extra
            layers as the size asks for.
        bbox_head: Config of a head of priors; its default boxes may come from any of mmdet's anchor generators.
        input_size: Side of the network's input, or (W, H), pixels. A batch of another size is refused, for its default
            boxes would not be the measured ones; only ``batch_augments`` of the data preprocessor, which training
            at several sizes asks for, may change it, to sizes that the network takes.
        channels_last: Keep weights and images in channels-last order, which is the faster one on CPUs and GPUs; a
            network with a layer that needs the plain order (:func:`choose_memory_format`) stays in it.
        train_cfg: For the head.
        test_cfg: For the head.
        data_preprocessor: Config.
        init_cfg: mmengine's initialisation config.

    Raises:
        UserError: Parts that do not go together; the line has the entry to change.
    """

    def __init__(
        self,
        backbone: dict,
        bbox_head: dict,
        input_size: Union[int, Sequence[int]],
        neck: Union[None, dict, Sequence[dict]] = None,
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
        self.backbone = build_part(MMDET_MODELS, backbone, 'backbone')
        width, height = self.input_size
        maps = infer_feature_shapes(self.backbone, MapShape(3, height, width))
        necks = []
        for i, config in enumerate([neck] if isinstance(neck, dict) else neck or []):
            where = 'neck' if isinstance(neck, dict) else f'neck[{i}]'
            necks.append(build_part(MMDET_MODELS, complete_neck(config, maps, where), where))
            maps = infer_feature_shapes(necks[-1], maps)
        if necks:
            self.neck = necks[0] if len(necks) == 1 else nn.Sequential(*necks)
        resizing = getattr(self.data_preprocessor, 'batch_augments', None)
        check_random_sizes(resizing or [], self.input_size, [self.backbone, *necks])
        off_grid = off_grid_levels(necks[-1] if necks else None, len(maps))
        strides = box_strides(maps, self.input_size, off_grid)
        head = complete_head(bbox_head, maps, strides, self.input_size)
        head.update(train_cfg=complete_train_cfg(head['type'], train_cfg), test_cfg=test_cfg)
        self.bbox_head = build_part(MMDET_MODELS, head, 'bbox_head')
        self.feature_shapes = maps
        normalize_single_values(self)
        self.memory_format = choose_memory_format(self, channels_last)
        for module in self.modules():
            # Layers that compute with their weights first (ConvWS, ConvAWS) need them in the plain order.
            if type(module) is nn.Conv2d:
                module.to(memory_format=self.memory_format)  # type: ignore[call-overload]

    @property
    def map_sizes(self) -> list[tuple[int, int]]:
        """(h, w) of every level."""
        return [(shape.height, shape.width) for shape in self.feature_shapes]

    def describe(self) -> str:
        """Draw a table of the levels: map, channels, step between boxes, box sizes, number of boxes."""
        rows = describe_levels(self.bbox_head.prior_generator, self.feature_shapes)
        total = sum(row[-1] for row in rows)
        width, height = self.input_size
        header = ['level', 'map', 'channels', 'step', 'box size', 'boxes']
        table = AsciiTable([header, *map(list, rows), ['', '', '', '', 'all', total]])
        return f'Default boxes for an input of {width}x{height}\n{table.table}'

    def init_weights(self) -> None:
        """Initialise, and log the measured geometry."""
        super().init_weights()
        print_log(self.describe(), logger='current')

    def extract_feat(self, batch_inputs: Tensor) -> Any:
        """Extract the maps of all levels.

        Args:
            batch_inputs: (B, 3, H, W) float.

        Raises:
            UserError: The images are not of the input size, and no batch augmentation in training made them so.
        """
        height, width = batch_inputs.shape[-2:]
        resized = self.training and getattr(self.data_preprocessor, 'batch_augments', None)
        if (width, height) != self.input_size and not resized:
            raise UserError(
                f'model.input_size: {self.input_size[0]}x{self.input_size[1]}, but the pipeline gives images of '
                f'{width}x{height} (width x height), expected one size: set the scale of its resizing steps; '
                '--cfg-options model.input_size="(W,H)" and config_edits.at_size set both'
            )
        x = self.backbone(batch_inputs.contiguous(memory_format=self.memory_format))
        x = (x,) if isinstance(x, Tensor) else x
        return self.neck(x) if self.with_neck else x
