"""Time a training step: forward, backward and optimiser."""

from collections.abc import Iterator
from typing import Any, Callable

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from ssd_plugin.cli.read_config import AMP_WRAPPER
from ssd_plugin.engine.autocast import choose_dtype

from .loss_speed import OBJECTS
from .peers import Pair, build_pair, quiet
from .report import Row
from .settings import Settings
from .synthetic import gt_samples, network_image
from .timing import Budget, interleave, milliseconds

# Images of a batch on a CPU; a GPU takes GPU_BATCH.
CASES = {
    'SSD300 VGG-16 COCO': 8,
    'SSD512 VGG-16 COCO': 2,
    'SSD300 ResNet-18 VOC': 8,
    'SSDLite MobileNetV2 COCO': 8,
}
QUICK_CASES = ('SSD300 ResNet-18 VOC', 'SSDLite MobileNetV2 COCO')
GPU_BATCH = 64


def measure(pair: Pair, images: int, device: str, budget: Budget) -> dict[str, list[float]]:
    """Measure the seconds of a training step.

    Args:
        pair: Both detectors.
        images: Of the batch.
        device: 'cpu' or 'cuda'.
        budget: When to stop.

    Returns:
        'ours' with ``--amp``, 'fp32' (ours without), 'mmdet' (mixed precision where mmengine has it: on GPUs), and
        'floor': our network alone, forward and backward, as under ``--amp``.
    """
    batch = training_batch(pair.ours, images, device)
    theirs_amp = 'AmpOptimWrapper' if device == 'cuda' else 'OptimWrapper'
    pair.ours.train()
    pair.mmdet.train()
    return interleave(
        {
            'ours': training_step(pair.ours, pair.ours_config, AMP_WRAPPER, batch),
            'fp32': training_step(pair.ours, pair.ours_config, 'OptimWrapper', batch),
            'mmdet': training_step(pair.mmdet, pair.mmdet_config, theirs_amp, batch),
            'floor': _network(pair.ours, batch, device),
        },
        budget,
        device,
    )


def training_batch(ours: Any, images: int, device: str) -> dict[str, Any]:
    """Make what the loader would hand over; the images are drawn, a few of them repeated."""
    drawn = [network_image(seed, ours.input_size) for seed in range(min(images, 4))]
    inputs = [drawn[index % len(drawn)].to(device) for index in range(images)]
    samples = gt_samples(images, OBJECTS, ours.input_size, ours.bbox_head.num_classes, device)
    return dict(inputs=inputs, data_samples=samples)


def training_step(model: Any, config: Config, wrapper: str, batch: dict[str, Any]) -> Callable[[], Any]:
    """Make a function that does one step of mmengine's training loop.

    Args:
        model: In training mode.
        config: Its config, for the optimiser.
        wrapper: Type of the optimiser's wrapper.
        batch: See :func:`training_batch`.
    """
    # A rate of zero: the work is the same, and random weights do not run off to infinity.
    settings = dict(config.optim_wrapper, type=wrapper)
    settings['optimizer'] = dict(settings['optimizer'], lr=0.0)
    with quiet():
        optim_wrapper = build_optim_wrapper(model, settings)
    return lambda: model.train_step(dict(batch), optim_wrapper)


def _network(model: Any, batch: dict[str, Any], device: str) -> Callable[[], None]:
    """Make a step of the convolutions alone: backbone, neck and head, without targets, loss and optimiser."""
    inputs = model.data_preprocessor(dict(batch), True)['inputs']

    def step() -> None:
        model.zero_grad()
        with torch.autocast(device, choose_dtype(None, device)):
            scores, boxes = model.bbox_head(model.extract_feat(inputs))
        outputs = [*scores, *boxes]
        torch.autograd.backward(outputs, [torch.ones_like(level) for level in outputs])

    return step


def rows(settings: Settings) -> Iterator[Row]:
    """Measure the rows of the report."""
    for name in QUICK_CASES if settings.quick else CASES:
        images = GPU_BATCH if settings.device == 'cuda' else CASES[name]
        images = 2 if settings.quick else images
        pair = build_pair(name, settings.device)
        figures = {
            side: milliseconds(found)
            for side, found in measure(pair, images, settings.device, settings.budget()).items()
        }
        case = f'{name}, batch {images}'
        theirs = 'mixed precision' if settings.device == 'cuda' else 'fp32'
        yield Row(
            'training step',
            f'{case}, ours --amp, mmdet {theirs}; floor: our convolutions',
            'ms',
            ours=figures['ours'],
            mmdet=figures['mmdet'],
            floor=figures['floor'],
        )
        yield Row('training step', f'{case}, ours fp32, mmdet {theirs}', 'ms', figures['fp32'], figures['mmdet'])
