"""The truths of a batch as one tensor."""

from collections.abc import Sequence
from typing import Optional

import torch
from mmengine.structures import InstanceData
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .ssd_assigner import Truths


def sizes_of(batch_img_metas: Sequence[dict], device: torch.device) -> Tensor:
    """(B, 2) float32, width and height of every image as the network sees it."""
    sizes = [[meta['img_shape'][1], meta['img_shape'][0]] for meta in batch_img_metas]
    return torch.tensor(sizes, dtype=torch.float32).to(device, non_blocking=True)


def pad_truths(instances: Sequence[Optional[InstanceData]], input_sizes: Tensor) -> Truths:
    """Objects of a batch as one tensor, unusable boxes masked out.

    A box is unusable if it is not finite, has no area, or lies outside the image: one such box would turn the whole
    loss into NaN. They are masked here, on the device, whatever the data set let through.

    Args:
        instances: Per image ``bboxes`` (M, 4) xyxy pixels, tensor or mmdet boxes, and ``labels`` (M,) where known.
        input_sizes: (B, 2) W and H.

    Returns:
        Padded to the largest M.
    """
    device = input_sizes.device
    boxes: list[Tensor] = []
    labels: list[Tensor] = []
    for image in instances:
        found = torch.zeros((0, 4)) if image is None else image.bboxes
        box = getattr(found, 'tensor', found).to(device=device, dtype=torch.float32).reshape(-1, 4)
        has_labels = image is not None and 'labels' in image
        label = image.labels if has_labels else torch.zeros(len(box))  # type: ignore[union-attr]
        boxes.append(box)
        labels.append(label.to(device=device, dtype=torch.int64))
    padded = pad_sequence(boxes, batch_first=True)  # (B, M, 4), the padding has no area
    corner, opposite = padded[..., :2], padded[..., 2:]
    usable = (opposite > corner).all(-1) & (opposite > 0).all(-1) & (corner < input_sizes[:, None]).all(-1)
    valid = usable & padded.isfinite().all(-1)
    # Zeros in the masked places: infinities there would still make NaN overlaps.
    return Truths(padded.masked_fill(~valid[..., None], 0), pad_sequence(labels, batch_first=True), valid)
