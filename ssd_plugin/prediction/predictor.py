"""Predict on images: whole or in tiles, all classes or some."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional

import numpy as np
import torch
from mmengine.structures import InstanceData
from numpy.typing import NDArray

from ssd_plugin.errors import UserError

from .tiles import predict_tiles
from .tiling import Tiling


class Predictor:
    """Predict on images.

    Args:
        inferencer: A ``DetInferencer``.
        batch_size: Tiles that go through the network at once.
        wanted: Names of classes, the others are left out; None keeps all.
        tiling: How images are cut; None predicts on whole ones.

    Raises:
        UserError: The model has no such class.
    """

    def __init__(
        self, inferencer: Any, batch_size: int, wanted: Optional[Sequence[str]], tiling: Optional[Tiling]
    ) -> None:
        classes = list(inferencer.model.dataset_meta['classes'])
        for name in wanted or ():
            if name not in classes:
                raise UserError(f'--classes: the model has no class {name!r}, expected some of {", ".join(classes)}')
        self._inferencer = inferencer
        self._batch_size = batch_size
        self._tiling = tiling
        self._labels = None if wanted is None else torch.tensor([classes.index(name) for name in wanted])

    def __call__(
        self, images: Sequence[NDArray[np.uint8]], show_progress: Callable[[Sequence[int]], Iterable[int]] = iter
    ) -> list[InstanceData]:
        """Detect.

        Args:
            images: (H, W, 3) uint8 BGR each; whole ones go through the network at once.
            show_progress: Wraps the batches of tiles of an image.

        Returns:
            Per image ``bboxes`` (D, 4) in pixels of it, ``scores`` and ``labels`` (D,), best first, on the CPU.
        """
        if self._tiling is None:
            data = self._inferencer.collate_fn([self._inferencer.pipeline(image) for image in images])
            every = [sample.pred_instances for sample in self._inferencer.forward(data)]
        else:
            every = [
                predict_tiles(self._inferencer, image, self._tiling, self._batch_size, show_progress)
                for image in images
            ]
        found = [instances.cpu() for instances in every]
        if self._labels is None:
            return found
        return [instances[torch.isin(instances.labels, self._labels)] for instances in found]
