"""Time inference: a 640x480 array in, boxes in its pixels out."""

import copy
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np
import torch
from mmcv.transforms import Compose
from mmdet.registry import TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from numpy.typing import NDArray

from ssd_plugin.engine.autocast import choose_dtype
from ssd_plugin.engine.inference_optimization import optimize_for_inference

from .peers import Pair, build_pair, sharpen
from .report import Row
from .settings import Settings
from .synthetic import draw_image, network_image
from .timing import Budget, interleave, milliseconds, per_second

CASES = ('SSD300 VGG-16 COCO', 'SSD512 VGG-16 COCO', 'SSD300 ResNet-18 VOC', 'SSDLite MobileNetV2 COCO')
QUICK_CASES = CASES[2:]
BATCH = 8


def measure(pair: Pair, images: int, device: str, budget: Budget) -> dict[str, list[float]]:
    """Measure the seconds to detect in a batch of images.

    Args:
        pair: Both detectors, sharpened.
        images: Of the batch.
        device: 'cpu' or 'cuda'.
        budget: When to stop.

    Returns:
        'ours' with ``--amp --fuse-conv-bn``, 'fp32' (ours with neither), 'mmdet' in fp32, and 'floor': our network
        alone, as in 'ours'.
    """
    fast = optimized(pair.ours)
    sides = {
        'ours': detection(fast, pair.ours_config, images),
        'fp32': detection(pair.ours, pair.ours_config, images),
        'mmdet': detection(pair.mmdet, pair.mmdet_config, images),
        'floor': _network(fast, images, device),
    }
    return interleave(sides, budget, device)


def optimized(model: Any) -> Any:
    """Copy our detector and apply all that makes it predict faster."""
    fast = copy.deepcopy(model)
    optimize_for_inference(fast, fuse=True, amp=True)
    return fast


def detection(model: Any, config: Config, images: int) -> Callable[[], None]:
    """Make a function that takes arrays of 640x480 through test pipeline and detector.

    Args:
        model: In evaluation mode.
        config: Its config, for the pipeline.
        images: Of the batch.
    """
    drawn = [draw_image(seed) for seed in range(min(images, 2))]
    return detection_in(model, config, [drawn[index % len(drawn)] for index in range(images)])


def detection_in(model: Any, config: Config, batch: list[NDArray[np.uint8]]) -> Callable[[], None]:
    """Make a function that takes arrays, (H, W, 3) BGR each, through test pipeline and detector.

    Args:
        model: In evaluation mode.
        config: Its config, for the pipeline.
        batch: The arrays.
    """
    # As mmdet's inferencer: the array takes the place of the file.
    steps = [
        dict(type='mmdet.LoadImageFromNDArray') if 'LoadImage' in step.type else step for step in config.test_pipeline
    ]
    pipeline = Compose([TRANSFORMS.build(step) for step in steps])

    def detect() -> None:
        packed = pseudo_collate([pipeline(dict(img=image, img_id=index)) for index, image in enumerate(batch)])
        with torch.no_grad():
            for sample in model.test_step(packed):
                sample.pred_instances.bboxes.cpu()

    return detect


def _network(model: Any, images: int, device: str) -> Callable[[], None]:
    image = network_image(0, model.input_size)
    inputs = model.data_preprocessor(dict(inputs=[image] * images), False)['inputs']

    def forward() -> None:
        with torch.no_grad(), torch.autocast(device, choose_dtype(None, device)):
            model.bbox_head(model.extract_feat(inputs))

    return forward


def rows(settings: Settings) -> Iterator[Row]:
    """Measure the rows of the report."""
    for name in QUICK_CASES if settings.quick else CASES:
        pair = build_pair(name, settings.device)
        sharpen(pair, network_image(0, pair.ours.input_size))
        for images in (1, 2 if settings.quick else BATCH):
            seconds = measure(pair, images, settings.device, settings.budget())
            unit = 'ms' if images == 1 else 'images/s'
            figures = {
                side: milliseconds(found) if images == 1 else per_second(images, found)
                for side, found in seconds.items()
            }
            case = f'{name}, batch {images}'
            yield Row(
                'inference',
                f'{case}, ours --amp --fuse-conv-bn, mmdet fp32; floor: our convolutions',
                unit,
                ours=figures['ours'],
                mmdet=figures['mmdet'],
                floor=figures['floor'],
            )
            yield Row('inference', f'{case}, both fp32', unit, ours=figures['fp32'], mmdet=figures['mmdet'])
