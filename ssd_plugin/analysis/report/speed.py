"""Time a detector on this machine: an image in, boxes in its pixels out, one at a time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmdet.apis import inference_detector
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config

_IMAGES = 16
_WARMUPS = 3
_SECONDS = 4.0


@dataclass(frozen=True)
class Speed:
    """How long an image takes, from the decoded array to boxes.

    Attributes:
        milliseconds: Median.
        low: First quartile.
        high: Third quartile.
        images: How many were timed.
        threads: Of PyTorch.
    """

    milliseconds: float
    low: float
    high: float
    images: int
    threads: int

    @property
    def fps(self) -> float:
        """Images in a second."""
        return 1000 / self.milliseconds


def measure_speed(model: Any, config: Config, paths: Sequence[str]) -> Speed:
    """Time the test pipeline, the network and all that follows it, for some four seconds.

    Args:
        model: In evaluation mode, on the device it is timed on.
        config: Has the test pipeline.
        paths: Image files, at least one; the first 16 are taken in turn.

    Returns:
        The time of an image.
    """
    steps = get_test_pipeline_cfg(config).copy()
    steps[0] = dict(type='mmdet.LoadImageFromNDArray')
    pipeline = Compose(steps)
    images = [cv2.imread(path) for path in paths[:_IMAGES]]
    seconds: list[float] = []
    start = time.perf_counter()
    while len(seconds) < _WARMUPS + len(images) or time.perf_counter() - start < _SECONDS:
        begin = time.perf_counter()
        sample = inference_detector(model, images[len(seconds) % len(images)], pipeline)
        sample.pred_instances.bboxes.cpu()  # waits for a GPU
        seconds.append(time.perf_counter() - begin)
    low, median, high = 1000 * np.percentile(seconds[_WARMUPS:], (25, 50, 75))
    return Speed(float(median), float(low), float(high), len(seconds) - _WARMUPS, torch.get_num_threads())
