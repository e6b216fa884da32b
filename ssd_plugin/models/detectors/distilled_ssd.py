"""A detector that learns from a trained one besides the annotations."""

from pathlib import Path
from typing import Any, Union

import torch
import torch.nn.functional as F
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.structures import SampleList
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from torch import Tensor

from ssd_plugin.errors import UserError
from ssd_plugin.models.dense_heads.levels import split_by_prior
from ssd_plugin.registry import MODELS

from .ssd import SSD


@MODELS.register_module()
class DistilledSSD(SSD):
    """SSD trained on what a teacher, another SSD, says of the same augmented images, and on their annotations.

    Every prior counts by the probability with which the teacher sees an object there. The classes' part is the
    cross-entropy with the teacher's probabilities as the target, the boxes' part smooth L1 between both deltas.

    The teacher is built when training begins. It is no part of checkpoints, and prediction does not need its files.

    Args:
        teacher_config: Whole config of the teacher, or its file. Its classes, input, default boxes and normalisation of
            images are those of the student.
        teacher_ckpt: Its weights.
        distill_weight: Factor of both parts.
        settings: As of :class:`SSD`.

    Raises:
        UserError: Teacher and student do not go together; when training begins.

    Source: Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
    """

    def __init__(
        self,
        *,
        teacher_config: Union[str, Path, dict[str, Any]],
        teacher_ckpt: Union[str, Path],
        distill_weight: float = 1.0,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.teacher_config = teacher_config
        self.teacher_ckpt = str(teacher_ckpt)
        self.distill_weight = distill_weight
        self._teacher: tuple[SSD, ...] = ()  # in a tuple, which hides its weights from state dicts and optimisers

    def init_weights(self) -> None:
        """Initialise the student, and load the teacher."""
        super().init_weights()
        self.teacher()

    def teacher(self) -> SSD:
        """Give the trained detector, on the device of this one; built by the first call."""
        if not self._teacher:
            config = self.teacher_config
            if not isinstance(config, dict):
                if not Path(config).is_file():
                    raise UserError(f'model.teacher_config: {config}, expected the config file of a trained SSD')
                config = Config.fromfile(config)
            config = config['model']
            teacher = MMDET_MODELS.build(config)
            self._check(teacher)
            try:
                load_checkpoint(teacher, self.teacher_ckpt, map_location='cpu', strict=True)
            except RuntimeError as error:
                reason = ' '.join(str(error).split())
                raise UserError(
                    f'model.teacher_ckpt: {self.teacher_ckpt}, expected the weights of teacher_config ({reason[:120]})'
                ) from error
            device = next(self.parameters()).device
            self._teacher = (teacher.to(device).eval().requires_grad_(False),)
        return self._teacher[0]

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Compute the losses of a batch.

        Args:
            batch_inputs: (B, 3, H, W) float.
            batch_data_samples: With ``gt_instances``.

        Returns:
            ``loss_cls`` and ``loss_bbox`` of the annotations, ``loss_distill_cls`` and ``loss_distill_bbox`` of the
            teacher, scalars.
        """
        head = self.bbox_head
        cls_scores, bbox_preds = head(self.extract_feat(batch_inputs))
        gt_instances, gt_instances_ignore, metas = unpack_gt_instances(batch_data_samples)
        losses = head.loss_by_feat(cls_scores, bbox_preds, gt_instances, metas, gt_instances_ignore)
        teacher = self.teacher()
        with torch.no_grad():
            taught_scores, taught_preds = teacher.bbox_head(teacher.extract_feat(batch_inputs))
            taught = self._rows(taught_scores, head.cls_out_channels)
            target = taught.sigmoid() if head.use_sigmoid_cls else taught.softmax(1)
            weight = target.amax(1) if head.use_sigmoid_cls else 1 - target[:, -1]
            weight = self.distill_weight * weight / weight.sum().clamp(min=1)
        logits = self._rows(cls_scores, head.cls_out_channels)
        if head.use_sigmoid_cls:
            per_prior = F.binary_cross_entropy_with_logits(logits, target, reduction='none').sum(1)
        else:
            per_prior = F.cross_entropy(logits, target, reduction='none')
        losses['loss_distill_cls'] = (per_prior * weight).sum()
        deltas = F.smooth_l1_loss(self._rows(bbox_preds, 4), self._rows(taught_preds, 4), reduction='none').sum(1)
        losses['loss_distill_bbox'] = (deltas * weight).sum()
        return losses

    @staticmethod
    def _rows(levels: list[Tensor], channels: int) -> Tensor:
        """Join the levels of all images, (B * N, channels) float32."""
        return torch.cat(split_by_prior(levels, channels), 1).flatten(0, 1).float()

    def _check(self, teacher: SSD) -> None:
        mine, its = self.bbox_head, teacher.bbox_head
        maps = [[torch.empty(shape.height, shape.width) for shape in model.feature_shapes] for model in (self, teacher)]
        priors = mine.priors(maps[0]), its.priors(maps[1])
        if priors[0].shape != priors[1].shape or not torch.allclose(*priors):
            different = f'default boxes ({len(priors[1])}, the model has {len(priors[0])})'
        elif (mine.use_sigmoid_cls, mine.num_classes) != (its.use_sigmoid_cls, its.num_classes):
            different = f'classes or classification loss ({its.cls_out_channels} outputs, not {mine.cls_out_channels})'
        elif any(
            not torch.equal(getattr(self.data_preprocessor, name), getattr(teacher.data_preprocessor, name))
            for name in ('mean', 'std')
        ):
            different = 'mean or std of the images'
        else:
            return
        raise UserError(f'model.teacher_config: a teacher of other {different}, expected those of the model')
