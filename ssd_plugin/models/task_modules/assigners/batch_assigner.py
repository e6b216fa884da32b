"""What SSDHead expects of an assigner."""

from typing import Optional, Protocol

from torch import Tensor

from .batch_gt_instances import BatchGTInstances

BACKGROUND = -1
IGNORED = -2


class BatchAssigner(Protocol):
    """Match the priors of a whole batch with its gt instances.

    An assigner of one's own takes what it needs of the keyword arguments and the rest as ``**kwargs``; it needs no base
    class. mmdet's assigners, which see one image at a time, are wrapped in
    :class:`ssd_plugin.models.task_modules.assigners.mmdet_assigner.MMDetAssigner`.

    Attributes:
        needs_predictions: Whether :meth:`assign` reads ``scores`` and ``bboxes``; without the attribute it does not.
    """

    needs_predictions: bool

    def assign(
        self,
        priors: Tensor,
        batch_gt: BatchGTInstances,
        *,
        batch_gt_ignore: Optional[BatchGTInstances],
        img_sizes: Tensor,
        num_level_priors: list[int],
        scores: Optional[Tensor],
        bboxes: Optional[Tensor],
    ) -> Tensor:
        """Match a batch.

        Args:
            priors: (N, 4) float32 xyxy, pixels of the network's input.
            batch_gt: The objects, M at most per image.
            batch_gt_ignore: Ignore regions, labels unused; None where the data has none.
            img_sizes: (B, 2) W and H of the images in pixels.
            num_level_priors: Number of priors of every level, N in all.
            scores: (B, N, C) predicted probabilities, or None.
            bboxes: (B, N, 4) predicted boxes, xyxy pixels, or None.

        Returns:
            (B, N) int64 ``assigned_gt_inds``: index of the gt instance, -1 for background, -2 for ignored.
        """
        ...
