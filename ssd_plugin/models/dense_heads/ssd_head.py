"""SSD's prediction head."""

from collections.abc import Sequence
from typing import Any, Optional, Union

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import TASK_UTILS as MMDET_TASK_UTILS
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ssd_plugin.models.task_modules.assigners.batch_gt_instances import pad_truths, sizes_of
from ssd_plugin.registry import MODELS

from .levels import LevelLogits, flatten_levels
from .mmdet_compat import box_coder, training_parts
from .post_processor import SSDPostProcessor


@MODELS.register_module()
class SSDHead(BaseDenseHead):
    """Classes and boxes from every level; targets, mining, loss and detections over the whole batch.

    A drop-in for mmdet's SSDHead: same arguments and state-dict keys (``cls_convs.i.*``, ``reg_convs.i.*``), and with
    mmdet's ``train_cfg`` and ``test_cfg`` the same losses and detections.

    Args:
        num_classes: Foreground classes C.
        in_channels: Channels of the levels. ``None`` only inside :class:`ssd_plugin.models.SSD`.
        stacked_convs: 3x3 convolutions in front of each predictor; the paper has none.
        feat_channels: Their channels.
        use_depthwise: Depthwise separable predictors (SSDLite).
        conv_cfg: Convolution layer config.
        norm_cfg: Normalisation layer config.
        act_cfg: Activation layer config.
        anchor_generator: Default boxes, a task util config.
        bbox_coder: Box coder, a task util config. ``None``: centre-size deltas, variances (0.1, 0.1, 0.2, 0.2).
        reg_decoded_bbox: Compare decoded boxes, in pixels, instead of deltas.
        train_cfg: ``assigner``, ``sampler`` and ``loss`` configs, or mmdet's settings.
        test_cfg: See :class:`ssd_plugin.models.dense_heads.post_processor.SSDPostProcessor`.
        init_cfg: mmengine's initialisation config. ``None``: Caffe's "xavier", uniform with variance 1 / fan-in.

    Raises:
        ValueError: ``in_channels`` and the generator's levels do not go together.

    Source: spec sections 1.4, 3, 4 and 7.
    """

    def __init__(
        self,
        num_classes: int = 80,
        in_channels: Optional[Sequence[int]] = (512, 1024, 512, 256, 256, 256),
        stacked_convs: int = 0,
        feat_channels: int = 256,
        use_depthwise: bool = False,
        conv_cfg: Optional[dict] = None,
        norm_cfg: Optional[dict] = None,
        act_cfg: Optional[dict] = None,
        anchor_generator: Optional[dict] = None,
        bbox_coder: Optional[dict] = None,
        reg_decoded_bbox: bool = False,
        train_cfg: Optional[dict] = None,
        test_cfg: Optional[dict] = None,
        init_cfg: Union[None, dict, list[dict]] = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg or dict(type='Caffe2Xavier', layer='Conv2d'))
        if in_channels is None:
            raise ValueError(
                'in_channels=None is measured by the detector ssd_plugin.SSD; elsewhere give one per level'
            )
        self.num_classes = num_classes
        self.cls_out_channels = num_classes + 1
        self.in_channels = tuple(in_channels)
        self.prior_generator = MMDET_TASK_UTILS.build(
            anchor_generator or dict(type='ssd_plugin.SSDAnchorGenerator', strides=[8, 16, 32, 64, 100, 300])
        )
        self.num_base_priors: list[int] = self.prior_generator.num_base_priors
        if len(self.in_channels) != len(self.num_base_priors):
            raise ValueError(
                f'in_channels={self.in_channels}, but anchor_generator has {len(self.num_base_priors)} levels'
            )
        self.bbox_coder = MMDET_TASK_UTILS.build(box_coder(bbox_coder))
        self.reg_decoded_bbox = reg_decoded_bbox
        layers: dict[str, Any] = dict(
            stacked_convs=stacked_convs,
            feat_channels=feat_channels,
            use_depthwise=use_depthwise,
            style=dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg),
        )
        widths = list(zip(self.in_channels, self.num_base_priors))
        self.cls_convs = nn.ModuleList(_predictor(c, a * self.cls_out_channels, **layers) for c, a in widths)
        self.reg_convs = nn.ModuleList(_predictor(c, a * 4, **layers) for c, a in widths)
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        if train_cfg:
            parts = training_parts(train_cfg)
            self.assigner = MMDET_TASK_UTILS.build(parts.assigner)
            self.sampler = MMDET_TASK_UTILS.build(parts.sampler)
            self.multibox_loss = MMDET_MODELS.build(parts.loss)
        self._priors: dict[Any, Tensor] = {}

    def forward(self, x: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Raw outputs.

        Args:
            x: One (B, C_i, h, w) per level.

        Returns:
            Per level class logits (B, A * (C + 1), h, w) and box deltas (B, A * 4, h, w), box-major.
        """
        return (
            [conv(feature) for conv, feature in zip(self.cls_convs, x)],
            [conv(feature) for conv, feature in zip(self.reg_convs, x)],
        )

    def priors(self, maps: Sequence[Tensor]) -> Tensor:
        """Default boxes of all levels, kept for the sizes met so far.

        Args:
            maps: Anything with the levels' height and width as last dimensions.

        Returns:
            (N, 4) float32 xyxy, pixels.
        """
        sizes = [tuple(level.shape[-2:]) for level in maps]
        key = (tuple(sizes), maps[0].device)
        if key not in self._priors:
            # Kept beyond the call, which may be one in inference mode.
            with torch.inference_mode(False):
                self._priors[key] = torch.cat(self.prior_generator.grid_priors(sizes, device=maps[0].device))
        return self._priors[key]

    def loss_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        batch_gt_instances: list[InstanceData],
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: Optional[list[InstanceData]] = None,
    ) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            cls_scores: Per level (B, A * (C + 1), h, w).
            bbox_preds: Per level (B, A * 4, h, w).
            batch_gt_instances: Objects of every image: ``bboxes`` (M, 4) xyxy pixels, ``labels`` (M,). Boxes that are
                not finite, of no area or outside the image are left out.
            batch_img_metas: ``img_shape`` (h, w) of every image.
            batch_gt_instances_ignore: Ignore regions of every image.

        Returns:
            ``loss_cls`` and ``loss_bbox``, scalars.
        """
        priors = self.priors(cls_scores)
        logits = LevelLogits(cls_scores, self.cls_out_channels)
        deltas = flatten_levels(bbox_preds, 4).float().flatten(0, 1)  # (B * N, 4)
        input_sizes = sizes_of(batch_img_metas, priors.device)
        truths = pad_truths(batch_gt_instances, input_sizes)
        ignored = pad_truths(batch_gt_instances_ignore, input_sizes) if batch_gt_instances_ignore else None
        matched = self.assigner.assign(priors, truths, ignored, input_sizes)  # (B, N)
        # One more object stands for the background, so that every box has one to gather.
        labels = torch.cat([truths.labels, truths.labels.new_full((len(matched), 1), self.num_classes)], 1)
        boxes = torch.cat([truths.boxes, truths.boxes.new_zeros((len(matched), 1, 4))], 1)
        most = truths.labels.shape[1]
        index = matched.masked_fill(matched < 0, most)

        def box_pairs(rows: Optional[Tensor]) -> tuple[Tensor, Tensor]:
            rows = torch.arange(matched.numel(), device=matched.device) if rows is None else rows
            prior = priors[rows % len(priors)]
            found = index.flatten()[rows]
            truth = boxes.flatten(0, 1)[rows // len(priors) * (most + 1) + found]
            # An unmatched box is its own target: the logarithm of the padding's size would not be finite.
            truth = torch.where((found == most)[:, None], prior, truth)
            if self.reg_decoded_bbox:
                return self.bbox_coder.decode(prior, deltas[rows]), truth
            return deltas[rows], self.bbox_coder.encode(prior, truth)

        return self.multibox_loss(logits, labels.gather(1, index), matched, box_pairs, self.sampler)

    def predict_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        score_factors: Optional[list[Tensor]] = None,
        batch_img_metas: Optional[list[dict]] = None,
        cfg: Optional[dict] = None,
        rescale: bool = False,
        with_nms: bool = True,
    ) -> list[InstanceData]:
        """Detections of a batch.

        Args:
            cls_scores: Per level (B, A * (C + 1), h, w).
            bbox_preds: Per level (B, A * 4, h, w).
            score_factors: Not used by SSD; None.
            batch_img_metas: ``img_shape`` and, to rescale, ``scale_factor`` of every image.
            cfg: In place of the head's ``test_cfg``.
            rescale: Return boxes in pixels of the original photograph instead of the network's input.
            with_nms: False returns the candidates before suppression.

        Returns:
            Per image ``bboxes`` (D, 4), ``scores`` (D,), ``labels`` (D,), best first.
        """
        assert batch_img_metas is not None
        postprocess = SSDPostProcessor.from_cfg(cfg or self.test_cfg or {}, self.bbox_coder)
        priors = self.priors(cls_scores)
        # Many small steps, each cheaper where nothing is noted for a gradient.
        with torch.inference_mode(not torch.is_grad_enabled()):
            logits = LevelLogits(cls_scores, self.cls_out_channels)
            deltas = flatten_levels(bbox_preds, 4).float()
            boxes, found, counts = postprocess(logits, deltas, priors, batch_img_metas, rescale, with_nms)
        # Copied outside, so that nobody meets the limits of inference tensors.
        columns = (torch.split(part.clone(), counts) for part in (boxes, found.score, found.label))
        return [InstanceData(bboxes=box, scores=score, labels=label) for box, score, label in zip(*columns)]


def _predictor(
    channels: int, out: int, stacked_convs: int, feat_channels: int, use_depthwise: bool, style: dict[str, Any]
) -> nn.Sequential:
    conv = DepthwiseSeparableConvModule if use_depthwise else ConvModule
    layers: list[nn.Module] = []
    for _ in range(stacked_convs):
        layers.append(conv(channels, feat_channels, 3, padding=1, **style))
        channels = feat_channels
    if use_depthwise:
        layers.append(ConvModule(channels, channels, 3, padding=1, groups=channels, **style))
        layers.append(nn.Conv2d(channels, out, 1))
    else:
        layers.append(nn.Conv2d(channels, out, 3, padding=1))
    return nn.Sequential(*layers)
