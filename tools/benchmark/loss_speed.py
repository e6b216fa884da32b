"""Time targets, mining and loss with their backward pass, from raw outputs on."""

from collections.abc import Iterator
from typing import Any, Callable

import torch
from torch import Tensor

from .peers import Pair, build_pair
from .report import Row
from .settings import Settings
from .synthetic import RawOutputs, gt_samples, raw_outputs
from .timing import interleave, milliseconds

OBJECTS = 12


def sides(pair: Pair, images: int, objects: int, device: str) -> dict[str, Callable[[], None]]:
    """Make what computes the loss of a batch, on either side, each in the memory order its own network gives.

    Args:
        pair: Both detectors.
        images: Of the batch.
        objects: In each image.
        device: 'cpu' or 'cuda'.

    Returns:
        'ours' and 'mmdet'.
    """
    head = pair.ours.bbox_head
    size = pair.ours.input_size
    outputs = raw_outputs(head, pair.ours.map_sizes, gt_samples(images, objects, size, head.num_classes, 'cpu'))
    samples = gt_samples(images, objects, size, head.num_classes, device)
    arguments: tuple[Any, ...] = ([sample.gt_instances for sample in samples], [sample.metainfo for sample in samples])
    return {
        'ours': _step(head, outputs.to(device, torch.channels_last), arguments),
        'mmdet': _step(pair.mmdet.bbox_head, outputs.to(device, torch.contiguous_format), arguments),
    }


def _step(head: Any, outputs: RawOutputs, arguments: tuple[Any, ...]) -> Callable[[], None]:
    def step() -> None:
        for level in (*outputs.scores, *outputs.boxes):
            level.grad = None
        torch.autograd.backward(total(head.loss_by_feat(*outputs, *arguments)))

    return step


def total(losses: dict[str, Any]) -> Tensor:
    """Add up a head's losses; mmdet's come image by image."""
    parts = [part for loss in losses.values() for part in (loss if isinstance(loss, list) else [loss])]
    return torch.stack([part.sum() for part in parts]).sum()


def rows(settings: Settings) -> Iterator[Row]:
    """Measure the rows of the report."""
    cases = [('SSD300 VGG-16 COCO', 32), ('SSD512 VGG-16 COCO', 8)]
    for name, images in cases[:1] if settings.quick else cases:
        pair = build_pair(name, settings.device)
        batch = 8 if settings.quick else images
        yield _row('loss', f'{name}, batch {batch}, {OBJECTS} objects an image', pair, batch, OBJECTS, settings)


def curves(settings: Settings) -> Iterator[Row]:
    """Measure how the time grows with the objects and with the batch."""
    name = 'SSD300 VGG-16 COCO'
    pair = build_pair(name, settings.device)
    batch = 2 if settings.quick else 8
    for objects in (1, 100) if settings.quick else (1, 10, 100, 500):
        yield _row('loss curve', f'{name}, batch {batch}, {objects} objects an image', pair, batch, objects, settings)
    for images in (1, 4) if settings.quick else (1, 2, 4, 8, 16, 32, 64):
        yield _row('loss curve', f'{name}, batch {images}, {OBJECTS} objects an image', pair, images, OBJECTS, settings)


def _row(part: str, case: str, pair: Pair, images: int, objects: int, settings: Settings) -> Row:
    seconds = interleave(sides(pair, images, objects, settings.device), settings.budget(), settings.device)
    return Row(part, case, 'ms', ours=milliseconds(seconds['ours']), mmdet=milliseconds(seconds['mmdet']))
