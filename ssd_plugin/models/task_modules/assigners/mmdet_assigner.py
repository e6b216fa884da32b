"""mmdet's assigners, which see one image at a time, over a batch."""

import inspect
from typing import Any, Optional

import torch
from mmdet.models.task_modules.assigners import DynamicSoftLabelAssigner, PointAssigner, SimOTAAssigner
from mmengine.structures import InstanceData
from torch import Tensor

from ssd_plugin.errors import UserError

from .batch_assigner import BACKGROUND, IGNORED
from .batch_gt_instances import BatchGTInstances


class MMDetAssigner:
    """Run an mmdet assigner image by image as a :class:`BatchAssigner`.

    Whether the assigner reads predictions, and whether a head of priors can give all that it asks for, is found out by
    a trial on a few made-up boxes when the model is built.

    Args:
        assigner: Any assigner of mmdet that works on priors.
        strides: (w, h) step between the priors of each level, in pixels.

    Attributes:
        needs_predictions: Whether the assigner reads predicted scores and boxes.

    Raises:
        UserError: The assigner asks for something that this head does not have.
    """

    def __init__(self, assigner: Any, strides: list[tuple[float, float]]) -> None:
        self.assigner = assigner
        self.strides = strides
        self.takes_levels = 'num_level_priors' in inspect.signature(assigner.assign).parameters
        try:
            self.needs_predictions = False
            self._try()
        except Exception:  # What is missing shows itself in as many ways as there are assigners.
            try:
                self.needs_predictions = True
                self._try()
            except Exception as error:
                raise UserError(
                    f'train_cfg.assigner: {type(assigner).__name__} cannot be fed by SSDHead '
                    f'({type(error).__name__}: {error}), expected an assigner of priors such as MaxIoUAssigner'
                ) from error

    def assign(
        self,
        priors: Tensor,
        batch_gt: BatchGTInstances,
        *,
        batch_gt_ignore: Optional[BatchGTInstances] = None,
        num_level_priors: list[int],
        scores: Optional[Tensor] = None,
        bboxes: Optional[Tensor] = None,
        **kwargs: Any,
    ) -> Tensor:
        """Match a batch; arguments and result as of :meth:`BatchAssigner.assign`."""
        images = []
        for i, valid in enumerate(batch_gt.gt_valid):
            predicted = InstanceData(priors=self._priors(priors, num_level_priors))
            if self.needs_predictions:
                assert scores is not None
                assert bboxes is not None
                predicted.bboxes, predicted.scores = bboxes[i], self._scores(scores[i])
            gt = InstanceData(bboxes=batch_gt.gt_bboxes[i, valid], labels=batch_gt.gt_labels[i, valid])
            ignored = None
            if batch_gt_ignore is not None:
                ignored = InstanceData(bboxes=batch_gt_ignore.gt_bboxes[i, batch_gt_ignore.gt_valid[i]])
            levels = (num_level_priors,) if self.takes_levels else ()
            found = self.assigner.assign(
                predicted, *levels, gt, gt_instances_ignore=ignored
            ).gt_inds  # (N,), 1.. for objects
            # Objects that are not valid have a place in the batch, too.
            gt_inds = torch.cat([found.new_full((1,), BACKGROUND), valid.nonzero()[:, 0]])
            images.append(torch.where(found < 0, IGNORED, gt_inds[found.clamp(min=0)]))
        return torch.stack(images)

    def _priors(self, priors: Tensor, num_level_priors: list[int]) -> Tensor:
        if not isinstance(self.assigner, (SimOTAAssigner, DynamicSoftLabelAssigner, PointAssigner)):
            return priors
        # These want points: centres and strides.
        counts = torch.tensor(num_level_priors, device=priors.device)
        strides = priors.new_tensor(self.strides).repeat_interleave(counts, 0)
        return torch.cat([(priors[:, :2] + priors[:, 2:]) / 2, strides], 1)

    def _scores(self, scores: Tensor) -> Tensor:
        return scores.logit(eps=1e-6) if isinstance(self.assigner, DynamicSoftLabelAssigner) else scores

    def _try(self) -> None:
        priors = torch.tensor([[10.0 * i, 0, 10 * i + 10, 10] for i in range(64)])
        batch_gt = BatchGTInstances(priors[None, :2], torch.zeros((1, 2), dtype=torch.int64), torch.ones(1, 2) > 0)
        levels = [64, *[0] * (len(self.strides) - 1)]
        scores = torch.full((1, 64, 1), 0.5)
        self.assign(priors, batch_gt, num_level_priors=levels, scores=scores, bboxes=priors[None])
