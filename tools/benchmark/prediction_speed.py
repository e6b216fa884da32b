"""Time everything after the network: raw outputs to detections in pixels of the original image."""

from collections.abc import Iterator
from typing import Any, Callable

import torch

from .peers import Pair, build_pair
from .report import Row
from .settings import Settings
from .synthetic import RawOutputs, crowded_outputs, gt_samples, raw_outputs
from .timing import interleave, milliseconds

OBJECTS = 7


def sides(pair: Pair, images: int, crowded: bool, device: str) -> dict[str, Callable[[], None]]:
    """Make what computes the detections of a batch, each side in the memory order its own network gives.

    Args:
        pair: Both detectors.
        images: Of the batch.
        crowded: Every pair of box and class scores above the threshold, instead of some hundred of an image.
        device: 'cpu' or 'cuda'.

    Returns:
        'ours' with the authors' settings (400 candidates of each class), 'same' with mmdet's (1000 of each level), and
        'mmdet'.
    """
    head = pair.ours.bbox_head
    outputs, metas = _head_outputs(pair, images, crowded)
    ours, theirs = (outputs.to(device, order) for order in (torch.channels_last, torch.contiguous_format))
    return {
        'ours': _predict(head, ours, metas, None),
        'same': _predict(head, ours, metas, pair.mmdet_config.model.test_cfg),
        'mmdet': _predict(pair.mmdet.bbox_head, theirs, metas, None),
    }


def _head_outputs(pair: Pair, images: int, crowded: bool) -> tuple[RawOutputs, list[dict]]:
    """Make what the heads of a pair would give for a batch, and what is known of its images."""
    head, sizes = pair.ours.bbox_head, pair.ours.map_sizes
    samples = gt_samples(images, OBJECTS, pair.ours.input_size, head.num_classes, 'cpu')
    outputs = crowded_outputs(head, sizes, images) if crowded else raw_outputs(head, sizes, samples)
    return outputs, [sample.metainfo for sample in samples]


def _predict(head: Any, outputs: RawOutputs, metas: list[dict], cfg: Any) -> Callable[[], None]:
    def predict() -> None:
        with torch.no_grad():
            head.predict_by_feat(*outputs, batch_img_metas=metas, cfg=cfg, rescale=True)

    return predict


def rows(settings: Settings) -> Iterator[Row]:
    """Measure the rows of the report."""
    for name, images in (('SSD300 VGG-16 COCO', 8), ('SSD300 VGG-16 VOC', 1)):
        pair = build_pair(name, settings.device)
        batch = 2 if settings.quick and images > 1 else images
        for crowded in (False, True):
            scores = 'every pair above the threshold' if crowded else 'realistic scores'
            yield from _rows('prediction', f'{name}, batch {batch}, {scores}', pair, batch, crowded, settings)


def curves(settings: Settings) -> Iterator[Row]:
    """Measure how the time grows with the batch."""
    name = 'SSD300 VGG-16 COCO'
    pair = build_pair(name, settings.device)
    for images in (1, 4) if settings.quick else (1, 2, 4, 8, 16, 32, 64):
        yield from _rows('prediction curve', f'{name}, batch {images}', pair, images, False, settings)


def _rows(part: str, case: str, pair: Pair, images: int, crowded: bool, settings: Settings) -> Iterator[Row]:
    seconds = interleave(sides(pair, images, crowded, settings.device), settings.budget(), settings.device)
    theirs = milliseconds(seconds['mmdet'])
    yield Row(part, f'{case}, published settings', 'ms', ours=milliseconds(seconds['ours']), mmdet=theirs)
    yield Row(part, f"{case}, mmdet's settings", 'ms', ours=milliseconds(seconds['same']), mmdet=theirs)
