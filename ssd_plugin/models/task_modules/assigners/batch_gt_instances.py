"""The gt instances of a batch as one tensor."""

from collections.abc import Sequence
from typing import NamedTuple, Optional

import torch
from mmengine.structures import InstanceData
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


class BatchGTInstances(NamedTuple):
    """The gt instances of a batch, padded to the image with the most.

    Attributes:
        gt_bboxes: (B, M, 4) float32 xyxy in pixels of the network's input; zeros where not valid.
        gt_labels: (B, M) int64, 0..C-1.
        gt_valid: (B, M) bool; False for padding and for unusable boxes.
    """

    gt_bboxes: Tensor
    gt_labels: Tensor
    gt_valid: Tensor


def get_img_sizes(batch_img_metas: Sequence[dict], device: torch.device) -> Tensor:
    """Collect width and height of every image as the network sees it, (B, 2) float32."""
    sizes = [[meta['img_shape'][1], meta['img_shape'][0]] for meta in batch_img_metas]
    return torch.tensor(sizes, dtype=torch.float32).to(device, non_blocking=True)


def pad_gt_instances(instances: Sequence[Optional[InstanceData]], img_sizes: Tensor) -> BatchGTInstances:
    """Stack the gt instances of a batch, with unusable boxes marked as not valid.

    A box is unusable if it is not finite, has no area, or lies outside the image: one such box would turn the whole
    loss into NaN. They are masked here, on the device, whatever the data set let through.

    Args:
        instances: Per image ``bboxes`` (M, 4) xyxy pixels, tensor or mmdet boxes, and ``labels`` (M,) where known.
        img_sizes: (B, 2) W and H.

    Returns:
        Padded to the largest M, at least 1.
    """
    device = img_sizes.device
    bboxes: list[Tensor] = []
    labels: list[Tensor] = []
    for image in instances:
        image = InstanceData(bboxes=torch.zeros((0, 4))) if image is None else image
        boxes = getattr(image.bboxes, 'tensor', image.bboxes)
        bboxes.append(boxes.to(device=device, dtype=torch.float32).reshape(-1, 4))
        labels.append(image.get('labels', torch.zeros(len(boxes))).to(device=device, dtype=torch.int64))
    padded = pad_sequence(bboxes, batch_first=True)  # (B, M, 4), the padding has no area
    padded_labels = pad_sequence(labels, batch_first=True)
    if not padded.shape[1]:
        # One place that holds nothing, so that there is something to gather.
        padded, padded_labels = padded.new_zeros((len(bboxes), 1, 4)), padded_labels.new_zeros((len(bboxes), 1))
    top_left, bottom_right = padded[..., :2], padded[..., 2:]
    inside = (bottom_right > 0).all(-1) & (top_left < img_sizes[:, None]).all(-1)
    valid = (bottom_right > top_left).all(-1) & inside & padded.isfinite().all(-1)
    # Zeros in the masked places: infinities there would still make NaN overlaps.
    return BatchGTInstances(padded.masked_fill(~valid[..., None], 0), padded_labels, valid)
