"""Predict on tiles of large images, in which objects are as large for the network as those it learned from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.ops import batched_nms
from mmengine.structures import InstanceData
from numpy.typing import NDArray
from torch import Tensor

from ssd_plugin.box_ops import box_iou

from .tiling import Tile, Tiling

# A box that ends this close to an inner border, as a share of the tile, is that of an object that the border cuts.
_BORDER = 0.02
# A cut object often looks surer than the whole one: this much of its score is enough to take its place.
_SURE_ENOUGH = 0.5
# Cut boxes compared at a time, which bounds the memory.
_ROWS = 256


def predict_tiles(
    inferencer: Any,
    image: NDArray[np.uint8],
    tiling: Tiling,
    batch_size: int,
    show_progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> InstanceData:
    """Detect in an image tile by tile, each object once.

    What several tiles found is suppressed as the model's ``test_cfg.nms`` says. Before that goes a box at an inner
    border of its tile, an object that is cut, where a larger box of the same class covers it: that of a tile in which
    more of the object is to be seen. ``max_per_img`` holds for every tile, and not for the image.

    Args:
        inferencer: A ``DetInferencer``.
        image: (H, W, 3) uint8 BGR.
        tiling: Which tiles.
        batch_size: Tiles that go through the network at once.
        show_progress: Wraps the batches.

    Returns:
        ``bboxes`` (D, 4) in pixels of the image, ``scores`` and ``labels`` (D,), best first.
    """
    height, width = image.shape[:2]
    tiles = tiling.tiles(width, height)
    found: list[InstanceData] = []
    for start in show_progress(range(0, len(tiles), batch_size)):
        batch = tiles[start : start + batch_size]
        data = [inferencer.pipeline(image[y1:y2, x1:x2]) for x1, y1, x2, y2 in batch]
        for tile, sample in zip(batch, inferencer.forward(inferencer.collate_fn(data))):
            found.append(_in_image(sample.pred_instances, tile, width, height))
    nms = {'type': 'nms', 'iou_threshold': 0.45, **inferencer.cfg.model.get('test_cfg', {}).get('nms', {})}
    return merge(InstanceData.cat(found), nms)


def _in_image(found: InstanceData, tile: Tile, width: int, height: int) -> InstanceData:
    """Move boxes from a tile to its image, and tell which of them are cut."""
    x1, y1, x2, y2 = tile
    boxes: Tensor = found.bboxes + found.bboxes.new_tensor([x1, y1, x1, y1])
    margin = boxes.new_tensor([x2 - x1, y2 - y1]) * _BORDER
    # Nothing is cut by a border of the image.
    low = boxes.new_tensor([start or -torch.inf for start in (x1, y1)]) + margin
    high = boxes.new_tensor([end if end < side else torch.inf for end, side in ((x2, width), (y2, height))]) - margin
    cut = ((boxes[:, :2] < low) | (boxes[:, 2:] > high)).any(1)
    return InstanceData(bboxes=boxes, scores=found.scores, labels=found.labels, cut=cut)


def merge(found: InstanceData, nms: Mapping[str, Any]) -> InstanceData:
    """Report each object once.

    Args:
        found: What all tiles found: ``bboxes`` (K, 4), ``scores``, ``labels`` and ``cut`` (K,).
        nms: The model's settings, for mmcv's ``batched_nms``.

    Returns:
        ``bboxes`` (D, 4), ``scores`` and ``labels`` (D,), best first.
    """
    sizes = (found.bboxes[:, 2:] - found.bboxes[:, :2]).prod(1)
    same = torch.zeros_like(found.labels) if nms.get('class_agnostic') else found.labels
    covered = torch.zeros_like(found.cut)
    for rows in found.cut.nonzero()[:, 0].split(_ROWS):
        shares = box_iou(found.bboxes[rows, None], found.bboxes, mode='iof')  # (R, K)
        rivals = (sizes > sizes[rows, None]) & (found.scores >= _SURE_ENOUGH * found.scores[rows, None])
        rivals &= same == same[rows, None]
        covered[rows] = ((shares > nms['iou_threshold']) & rivals).any(1)
    found = found[~covered]
    if not len(found):  # mmcv's function needs one.
        return InstanceData(bboxes=found.bboxes, scores=found.scores, labels=found.labels)
    boxes, kept = batched_nms(found.bboxes, found.scores, found.labels, dict(nms))
    return InstanceData(bboxes=boxes[:, :4], scores=boxes[:, 4], labels=found.labels[kept])
