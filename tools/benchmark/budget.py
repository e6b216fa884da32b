"""Compare what a step and an inference spend beside the convolutions with what they may spend."""

from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ssd_plugin.cli.read_config import AMP_WRAPPER

from . import loss_speed, prediction_speed
from .inference_speed import detection, optimized
from .peers import build_pair, sharpen
from .report import BudgetRow
from .settings import Settings
from .synthetic import network_image
from .timing import interleave
from .training_speed import training_batch, training_step

SHARE = 0.03
CPU_BATCH, GPU_BATCH = 8, 32


def rows(settings: Settings) -> Iterator[BudgetRow]:
    """Measure shares of our steps and inferences with ``--amp``, and the speed of our parts against mmdet's."""
    yield from _training(settings)
    yield from _inference(settings)


def _training(settings: Settings) -> Iterator[BudgetRow]:
    device, name = settings.device, 'SSD300 VGG-16 COCO'
    batch = 2 if settings.quick else GPU_BATCH if device == 'cuda' else CPU_BATCH
    pair = build_pair(name, device)
    pair.ours.train()
    sides = loss_speed.sides(pair, batch, loss_speed.OBJECTS, device)
    case = f'targets, mining and loss, {name}, batch {batch}'
    step = training_step(pair.ours, pair.ours_config, AMP_WRAPPER, training_batch(pair.ours, batch, device))
    yield _share(f'{case}: share of a training step', sides['ours'], step, settings)
    # After steps, as in a run: how they leave the C library's heap slows ours down more than mmdet's.
    yield _times(case, 3, sides, settings)


def _inference(settings: Settings) -> Iterator[BudgetRow]:
    device = settings.device
    for name, images, limit in (('SSD300 VGG-16 VOC', 1, 2), ('SSD300 VGG-16 COCO', 2 if settings.quick else 8, 3)):
        pair = build_pair(name, device)
        sides = prediction_speed.sides(pair, images, False, device)
        case = f'prediction after the network, {name}, batch {images}'
        if images == 1:
            sharpen(pair, network_image(0, pair.ours.input_size))
            inference = detection(optimized(pair.ours), pair.ours_config, images)
            yield _share(f'{case}: share of an inference', sides['ours'], inference, settings)
        yield _times(case, limit, sides, settings)


def _share(case: str, part: Callable[[], Any], whole: Callable[[], Any], settings: Settings) -> BudgetRow:
    seconds = interleave({'part': part, 'whole': whole}, settings.budget(), settings.device)
    return BudgetRow.share(case, SHARE, seconds['part'], seconds['whole'])


def _times(case: str, limit: float, sides: Mapping[str, Callable[[], Any]], settings: Settings) -> BudgetRow:
    # Without the whole step: what runs right after it finds the processor's caches full of other things.
    seconds = interleave(sides, settings.budget(), settings.device)
    return BudgetRow.times(f"{case}: times mmdet's speed", limit, seconds['ours'], seconds['mmdet'])
