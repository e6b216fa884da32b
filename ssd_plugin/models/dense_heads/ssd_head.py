"""SSD's prediction head."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Optional, Union

import torch
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.models.task_modules.assigners import BaseAssigner
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import TASK_UTILS as MMDET_TASK_UTILS
from mmengine.model import bias_init_with_prob
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from ssd_plugin.box_ops import box_iou
from ssd_plugin.errors import UserError
from ssd_plugin.models.build_part import build_part
from ssd_plugin.models.task_modules.assigners import IGNORED, MMDetAssigner, get_img_sizes, pad_gt_instances
from ssd_plugin.registry import MODELS

from .levels import gather_rows, split_by_prior
from .mmdet_compat import translate_bbox_coder, translate_train_cfg
from .post_processor import SSDPostProcessor
from .predictor import build_predictor

# What a sigmoid head says of every class before it has learnt: background is common.
FOREGROUND_PROBABILITY = 0.01


@MODELS.register_module()
class SSDHead(BaseDenseHead):
    """Predict classes and boxes from every level; targets, mining, loss and detections over the whole batch.

    A drop-in for mmdet's SSDHead: same arguments and state-dict keys (``cls_convs.i.*``, ``reg_convs.i.*``), and with
    mmdet's ``train_cfg`` and ``test_cfg`` the same losses and detections.

    Args:
        num_classes: Foreground classes C.
        in_channels: Channels of the levels. ``None`` only inside :class:`ssd_plugin.models.SSD`.
        stacked_convs: 3x3 convolutions in front of each predictor; the paper has none.
        feat_channels: Their channels.
        use_depthwise: Depthwise separable predictors (SSDLite).
        share_conv: One set of convolutions for all levels, which then have the same channels and priors per cell.
        conv_cfg: Convolution layer config.
        norm_cfg: Normalisation layer config.
        act_cfg: Activation layer config.
        anchor_generator: Default boxes, a task util config; any of mmdet's anchor generators, too.
        bbox_coder: Box coder, a task util config. ``None``: centre-size deltas, variances (0.1, 0.1, 0.2, 0.2).
        loss_cls: mmdet's loss config. ``None``: softmax cross-entropy. A sigmoid loss makes C outputs instead of C + 1.
        loss_bbox: mmdet's loss config. ``None``: smooth L1.
        reg_decoded_bbox: Compare decoded boxes, in pixels, instead of deltas. ``None``: as ``loss_bbox`` asks for.
        train_cfg: ``assigner``, ``sampler`` (None: every prior counts, without mining) and ``loss`` configs, or mmdet's
            settings.
        test_cfg: See :class:`ssd_plugin.models.dense_heads.post_processor.SSDPostProcessor`.
        init_cfg: mmengine's initialisation config. ``None``: Caffe's "xavier", uniform with variance 1 / fan-in.

    Raises:
        UserError: Settings that do not go together; the line has the entry to change.

    Source: docs/fidelity.md sections 1.4, 3, 4 and 7.
    """

    def __init__(
        self,
        num_classes: int = 80,
        in_channels: Optional[Sequence[int]] = (512, 1024, 512, 256, 256, 256),
        stacked_convs: int = 0,
        feat_channels: int = 256,
        use_depthwise: bool = False,
        share_conv: bool = False,
        conv_cfg: Optional[dict] = None,
        norm_cfg: Optional[dict] = None,
        act_cfg: Optional[dict] = None,
        anchor_generator: Optional[dict] = None,
        bbox_coder: Optional[dict] = None,
        loss_cls: Optional[dict] = None,
        loss_bbox: Optional[dict] = None,
        reg_decoded_bbox: Optional[bool] = None,
        train_cfg: Optional[dict] = None,
        test_cfg: Optional[dict] = None,
        init_cfg: Union[None, dict, list[dict]] = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg or dict(type='Caffe2Xavier', layer='Conv2d'))
        self.starts_as_background = init_cfg is None
        if in_channels is None:
            raise UserError('bbox_head.in_channels: None is measured by ssd_plugin.SSD, expected one number per level')
        self.num_classes = num_classes
        self.in_channels = tuple(in_channels)
        self.prior_generator = build_part(
            MMDET_TASK_UTILS,
            anchor_generator or dict(type='ssd_plugin.SSDAnchorGenerator', strides=[8, 16, 32, 64, 100, 300]),
            'bbox_head.anchor_generator',
        )
        self.num_base_priors: list[int] = list(self.prior_generator.num_base_priors)
        if len(self.in_channels) != len(self.num_base_priors):
            raise UserError(
                f'bbox_head.anchor_generator: {len(self.num_base_priors)} levels, expected {len(self.in_channels)}, '
                f'those of in_channels={self.in_channels}'
            )
        self.bbox_coder = build_part(MMDET_TASK_UTILS, translate_bbox_coder(bbox_coder), 'bbox_head.bbox_coder')
        parts = translate_train_cfg(train_cfg or {}, loss_cls, loss_bbox)
        self.multibox_loss: Any = build_part(MMDET_MODELS, parts.loss, 'train_cfg.loss')
        self.use_sigmoid_cls: bool = self.multibox_loss.use_sigmoid
        self.cls_out_channels = num_classes if self.use_sigmoid_cls else num_classes + 1
        if reg_decoded_bbox is False and self.multibox_loss.compares_boxes:
            raise UserError(
                f'bbox_head.reg_decoded_bbox: False, expected True or None for '
                f'loss_bbox.type={type(self.multibox_loss.loss_bbox).__name__}, which compares boxes'
            )
        self.reg_decoded_bbox = reg_decoded_bbox or self.multibox_loss.compares_boxes
        levels = list(zip(self.in_channels, self.num_base_priors))
        if share_conv and len(set(levels)) > 1:
            raise UserError(
                f'bbox_head.share_conv: True with (channels, priors per cell) of {levels}, expected one pair for all '
                'levels: set neck.out_channels and anchor_generator.ratios so'
            )
        style = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        build = partial(build_predictor, stacked_convs, feat_channels, use_depthwise, style)
        levels = levels[:1] if share_conv else levels
        self.cls_convs = nn.ModuleList(build(c, a * self.cls_out_channels) for c, a in levels)
        self.reg_convs = nn.ModuleList(build(c, a * 4) for c, a in levels)
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        self._post_processor(test_cfg)  # read now, so that a mistake does not wait for the first validation
        if train_cfg:
            self.assigner = build_part(MMDET_TASK_UTILS, parts.assigner, 'train_cfg.assigner')
            if isinstance(self.assigner, BaseAssigner):
                strides = [_pair(stride) for stride in self.prior_generator.strides]
                self.assigner = MMDetAssigner(self.assigner, strides)
            sampler = parts.sampler
            self.sampler: Any = sampler and build_part(MMDET_TASK_UTILS, sampler, 'train_cfg.sampler')
        self._priors: dict[Any, Tensor] = {}

    def init_weights(self) -> None:
        """Initialise; a sigmoid head without an ``init_cfg`` of its own begins with rare objects, as mmdet's do."""
        super().init_weights()
        if self.use_sigmoid_cls and self.starts_as_background:
            for convs in self.cls_convs:
                *_, predictor = convs.children()
                nn.init.constant_(predictor.bias, bias_init_with_prob(FOREGROUND_PROBABILITY))  # type: ignore[arg-type]

    def forward(self, x: Iterable[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Predict from one (B, C_i, h, w) per level, box-major.

        Returns:
            Per level class logits (B, A * (C + 1), h, w), or (B, A * C, h, w) for a sigmoid loss, and box deltas
            (B, A * 4, h, w).
        """
        features = list(x)
        times = len(features) // len(self.cls_convs)  # 1, or all levels for one set of shared convolutions
        return (
            [conv(feature) for conv, feature in zip([*self.cls_convs] * times, features)],
            [conv(feature) for conv, feature in zip([*self.reg_convs] * times, features)],
        )

    def priors(self, maps: Sequence[Tensor]) -> Tensor:
        """Lay the default boxes of maps (..., h, w), (N, 4) float32 xyxy, pixels; kept for the sizes met so far."""
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
        """Compute the losses of a batch.

        Args:
            cls_scores: As of :meth:`forward`.
            bbox_preds: As of :meth:`forward`.
            batch_gt_instances: Objects of every image: ``bboxes`` (M, 4) xyxy pixels, ``labels`` (M,). Boxes that are
                not finite, of no area or outside the image are left out.
            batch_img_metas: ``img_shape`` (h, w) of every image.
            batch_gt_instances_ignore: Ignore regions of every image.

        Returns:
            ``loss_cls`` and ``loss_bbox``, scalars.
        """
        priors = self.priors(cls_scores)
        logits = split_by_prior(cls_scores, self.cls_out_channels)
        sizes = [level.shape[1] for level in logits]
        deltas = torch.cat(split_by_prior(bbox_preds, 4), 1).float()  # (B, N, 4)
        img_sizes = get_img_sizes(batch_img_metas, priors.device)
        batch_gt = pad_gt_instances(batch_gt_instances, img_sizes)
        ignore = pad_gt_instances(batch_gt_instances_ignore, img_sizes) if batch_gt_instances_ignore else None
        reads_predictions = getattr(self.assigner, 'needs_predictions', False)
        scores, bboxes = self._predictions(logits, deltas, priors) if reads_predictions else (None, None)
        assigned_gt_inds = self.assigner.assign(
            priors,
            batch_gt,
            batch_gt_ignore=ignore,
            img_sizes=img_sizes,
            num_level_priors=sizes,
            scores=scores,
            bboxes=bboxes,
        )  # (B, N)
        positives, ignored = assigned_gt_inds >= 0, assigned_gt_inds == IGNORED
        chosen = ~ignored
        if self.sampler is not None:
            with torch.no_grad():
                background_loss = torch.cat([self.multibox_loss.background_loss(level) for level in logits], 1)
            chosen = self.sampler(background_loss, positives, ignored)

        # Priors without an object have the label C, and their own box as the target.
        gt_inds = assigned_gt_inds.clamp(min=0)
        labels = batch_gt.gt_labels.gather(1, gt_inds).masked_fill(~positives, self.num_classes)  # (B, N)
        everywhere = torch.arange(positives.numel(), device=priors.device).view_as(positives)
        rows = gather_rows([everywhere], positives)  # (P,)
        is_positive = positives.flatten()[rows]
        bbox_priors, bbox_deltas = priors[rows % len(priors)], deltas.flatten(0, 1)[rows]  # (P, 4)
        gt_bboxes = batch_gt.gt_bboxes[rows // len(priors), gt_inds.flatten()[rows]]  # (P, 4)
        gt_bboxes = torch.where(is_positive[:, None], gt_bboxes, bbox_priors)
        quality = None
        if self.multibox_loss.needs_quality:
            iou = box_iou(self.bbox_coder.decode(bbox_priors, bbox_deltas.detach()), gt_bboxes)
            quality = torch.zeros_like(labels, dtype=iou.dtype).flatten().index_copy(0, rows, iou * is_positive)
            quality = gather_rows(torch.split(quality.view_as(labels), sizes, 1), chosen)
        if self.reg_decoded_bbox:
            predicted, targets = self.bbox_coder.decode(bbox_priors, bbox_deltas), gt_bboxes
        else:
            predicted, targets = bbox_deltas, self.bbox_coder.encode(bbox_priors, gt_bboxes)
        return self.multibox_loss(
            logits=gather_rows(logits, chosen).float(),
            labels=gather_rows(torch.split(labels, sizes, 1), chosen),
            chosen=gather_rows(torch.split(chosen, sizes, 1), chosen),
            quality=quality,
            bbox_preds=predicted,
            bbox_targets=targets,
            positives=is_positive,
            num_positives=positives.sum(1),
        )

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
        """Detect in a batch.

        Args:
            cls_scores: As of :meth:`forward`.
            bbox_preds: As of :meth:`forward`.
            score_factors: Not used by SSD; None.
            batch_img_metas: ``img_shape`` and, to rescale, ``scale_factor`` of every image.
            cfg: In place of the head's ``test_cfg``.
            rescale: See :class:`SSDPostProcessor`, as for ``with_nms`` and the result.
            with_nms: See there.
        """
        assert batch_img_metas is not None
        post_processor = self._post_processor(cfg or self.test_cfg)
        priors = self.priors(cls_scores)
        logits = split_by_prior(cls_scores, self.cls_out_channels)
        deltas = torch.cat(split_by_prior(bbox_preds, 4), 1).float()
        return post_processor(logits, deltas, priors, batch_img_metas, rescale, with_nms)

    def _post_processor(self, test_cfg: Optional[dict]) -> SSDPostProcessor:
        return SSDPostProcessor(test_cfg or {}, self.bbox_coder, self.use_sigmoid_cls)

    @torch.no_grad()
    def _predictions(self, logits: Sequence[Tensor], deltas: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
        """Give what the network now predicts: scores (B, N, C), boxes (B, N, 4) in pixels."""
        joined = torch.cat(list(logits), 1).float()
        scores = joined.sigmoid() if self.use_sigmoid_cls else joined.softmax(2)[..., :-1]
        bboxes = self.bbox_coder.decode(priors.repeat(len(deltas), 1), deltas.flatten(0, 1))
        return scores, bboxes.view_as(deltas)
