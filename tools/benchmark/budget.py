"""Compare what a step and an inference spend beside the convolutions with what they may spend."""

from collections.abc import Iterator

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
    step = training_step(pair.ours, pair.ours_config, AMP_WRAPPER, training_batch(pair.ours, batch, device))
    sides = loss_speed.sides(pair, batch, loss_speed.OBJECTS, device)
    seconds = interleave({**sides, 'step': step}, settings.budget(), device)
    case = f'targets, mining and loss, {name}, batch {batch}'
    yield BudgetRow.share(f'{case}: share of a training step', SHARE, seconds['ours'], seconds['step'])
    yield BudgetRow.times(f"{case}: times mmdet's speed", 3, seconds['ours'], seconds['mmdet'])


def _inference(settings: Settings) -> Iterator[BudgetRow]:
    device = settings.device
    for name, images, limit in (('SSD300 VGG-16 VOC', 1, 2), ('SSD300 VGG-16 COCO', 2 if settings.quick else 8, 3)):
        pair = build_pair(name, device)
        sharpen(pair, network_image(0, pair.ours.input_size))
        sides = prediction_speed.sides(pair, images, False, device)
        whole = {'whole': detection(optimized(pair.ours), pair.ours_config, images)} if images == 1 else {}
        seconds = interleave({**sides, **whole}, settings.budget(), device)
        case = f'prediction after the network, {name}, batch {images}'
        if whole:
            yield BudgetRow.share(f'{case}: share of an inference', SHARE, seconds['ours'], seconds['whole'])
        yield BudgetRow.times(f"{case}: times mmdet's speed", limit, seconds['ours'], seconds['mmdet'])
