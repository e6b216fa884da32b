"""Times suppression alone, against the op that mmdet calls."""

from collections.abc import Iterator
from typing import Any, Callable

import torch
from mmcv.ops import batched_nms as mmcv_batched_nms
from torch import Tensor

from ssd_plugin.models.dense_heads.candidates import Candidates
from ssd_plugin.models.dense_heads.levels import LevelLogits, flatten_levels
from ssd_plugin.models.dense_heads.post_processor import SSDPostProcessor
from ssd_plugin.models.layers.nms import batched_nms

from .peers import Pair
from .prediction_speed import cases, head_outputs
from .report import Row
from .settings import Settings
from .timing import Budget, interleave, milliseconds


def measure(pair: Pair, images: int, crowded: bool, device: str, budget: Budget) -> dict[str, list[float]]:
    """Seconds for the suppression of a batch, both sides given the candidates of our head's own settings.

    Args:
        pair: Both detectors; ours makes the candidates.
        images: Of the batch.
        crowded: Every pair of box and class scores above the threshold, instead of some hundred of an image.
        device: 'cpu' or 'cuda'.
        budget: When to stop.

    Returns:
        'ours', and 'mmdet': mmcv's op, image by image, as mmdet calls it.
    """
    head = pair.ours.bbox_head
    outputs, metas = head_outputs(pair, images, crowded)
    scores, deltas = outputs.to(device, torch.channels_last)
    settings = SSDPostProcessor.from_cfg(head.test_cfg, head.bbox_coder)
    with torch.no_grad():
        boxes, found, counts = settings(
            LevelLogits(scores, head.cls_out_channels),
            flatten_levels(deltas, 4),
            head.priors(scores),
            metas,
            with_nms=False,
        )
    return interleave(
        {
            'ours': lambda: batched_nms(boxes, found, settings.iou_threshold, settings.max_per_img, images),
            'mmdet': _as_mmdet(boxes, found, counts, settings),
        },
        budget,
        device,
    )


def _as_mmdet(boxes: Tensor, found: Candidates, counts: list[int], settings: Any) -> Callable[[], None]:
    columns = [torch.split(part, counts) for part in (boxes, found.score, found.label)]
    config = dict(type='nms', iou_threshold=settings.iou_threshold)

    def run() -> None:
        for image in zip(*columns):
            mmcv_batched_nms(*image, config)[1][: settings.max_per_img]

    return run


def rows(settings: Settings) -> Iterator[Row]:
    """Rows of the report."""
    for case, pair, images, crowded in cases(settings):
        seconds = measure(pair, images, crowded, settings.device, settings.budget())
        ours, theirs = milliseconds(seconds['ours']), milliseconds(seconds['mmdet'])
        yield Row('suppression', f"{case}; mmdet: mmcv's op", 'ms', ours=ours, mmdet=theirs)
