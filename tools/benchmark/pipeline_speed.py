"""Time the training pipelines: an image file to what the loader hands over."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmdet.registry import TRANSFORMS
from mmengine.config import Config

from ssd_plugin.datasets.shapes.scene import draw_scene

from .peers import CASES, mmdet_config, our_config
from .report import Row
from .settings import Settings
from .synthetic import HEIGHT, WIDTH
from .timing import Budget, interleave, per_second

CASE = 'SSD300 VGG-16 VOC'
STEPS = (
    'ssd_plugin.SSDPhotometricDistort',
    'ssd_plugin.SSDExpand',
    'ssd_plugin.SSDBatchSampleCrop',
    'ssd_plugin.SSDResize',
    'RandomFlip',
)

Images = list[dict[str, Any]]


def measure(images: Images, budget: Budget) -> dict[str, list[float]]:
    """Measure the seconds to take every image through each pipeline, in this process alone.

    Args:
        images: As a data set describes them.
        budget: When to stop.

    Returns:
        'ours', 'steps' (ours, transform by transform), 'mmdet', and 'floor': decoding and one linear resize.
    """
    ours, theirs = our_config(CASES[CASE].ours), mmdet_config(CASES[CASE])
    pipelines = dict(ours=_compose(ours), steps=_compose(_step_by_step(ours)), mmdet=_compose(theirs), floor=_floor)
    with _as_in_a_worker():
        return interleave({name: _all(pipeline, images) for name, pipeline in pipelines.items()}, budget)


def write_images(folder: Path, count: int) -> Images:
    """Write JPEGs of 640x480 with 3 to 8 objects.

    Args:
        folder: An existing one.
        count: Of images.
    """
    images: Images = []
    rng = np.random.default_rng(0)
    while len(images) < count:
        image, objects = draw_scene(rng, WIDTH, HEIGHT)
        if len(objects) < 3:
            continue
        path = folder / f'{len(images)}.jpg'
        cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
        instances = [dict(bbox=list(found.box), bbox_label=found.label, ignore_flag=0) for found in objects]
        images.append(dict(img_path=str(path), img_id=len(images), height=HEIGHT, width=WIDTH, instances=instances))
    return images


def rows(settings: Settings) -> Iterator[Row]:
    """Measure the rows of the report."""
    count = 16 if settings.quick else 64
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(write_images(Path(folder), count), settings.budget())
    rates = {name: per_second(count, found) for name, found in seconds.items()}
    for case, side in (('in one pass', 'ours'), ('step by step', 'steps')):
        yield Row(
            'training pipeline',
            f'640x480 JPEG to 300x300, {case}; floor: decode and resize',
            'images/s',
            ours=rates[side],
            mmdet=rates['mmdet'],
            floor=rates['floor'],
        )


def _compose(config: Config) -> Callable[[Any], Any]:
    return Compose([TRANSFORMS.build(step) for step in config.train_pipeline])


def _step_by_step(config: Config) -> Config:
    """Replace our augmentation in one pass by our single transforms."""
    changed = config.copy()
    steps: list[Any] = []
    for step in config.train_pipeline:
        if step.type != 'ssd_plugin.SSDAugment':
            steps.append(step)
            continue
        arguments = {'ssd_plugin.SSDResize': dict(scale=step.scale), 'RandomFlip': dict(prob=0.5)}
        steps += [dict(type=name, **arguments.get(name, {})) for name in STEPS]
    changed.train_pipeline = steps
    return changed


def _floor(image: dict[str, Any]) -> Any:
    return cv2.resize(cv2.imread(image['img_path']), (300, 300))


def _all(pipeline: Callable[[Any], Any], images: Images) -> Callable[[], None]:
    def run() -> None:
        np.random.seed(0)
        for image in images:
            pipeline(dict(image))

    return run


@contextmanager
def _as_in_a_worker() -> Iterator[None]:
    """Use one thread, as in a process of the data loader."""
    threads = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])
