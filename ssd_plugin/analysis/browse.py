"""Collect samples as the network is given them, with the default boxes that their objects match."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmdet.visualization import get_palette
from mmengine.config import Config
from mmengine.runner import Runner, set_random_seed
from torch import Tensor, nn

from ssd_plugin.cli.config_types import refusals_in_one_line
from ssd_plugin.errors import UserError


@dataclass(frozen=True)
class Sample:
    """An image as the network is given it, and what it is trained to find there.

    Attributes:
        name: Of the image's file.
        pixels: (H, W, 3) uint8 RGB, the mean back in its place.
        gt_bboxes: (M, 4) float xyxy in pixels of ``pixels``, those that training uses.
        gt_labels: (M,) int.
        default_boxes: (P, 4) float xyxy, those that an object is assigned to.
        gt_inds: (P,) int, their objects.
        by_level: Number of them on each level.
    """

    name: str
    pixels: np.ndarray
    gt_bboxes: np.ndarray
    gt_labels: np.ndarray
    default_boxes: np.ndarray
    gt_inds: np.ndarray
    by_level: Sequence[int]


@dataclass(frozen=True)
class Browsed:
    """Samples of a data set, with the names and colours of its classes.

    Attributes:
        samples: Computed one after the other.
        number: How many they are.
        classes: Names.
        palette: RGB colours from 0 to 255, one for each class.
    """

    samples: Iterable[Sample]
    number: int
    classes: Sequence[str]
    palette: Sequence[tuple[int, int, int]]


class _Recorder:
    """Stands in an assigner's place, and keeps what it was given and what it said."""

    def __init__(self, assigner: Any) -> None:
        self.assigner = assigner
        self.needs_predictions = getattr(assigner, 'needs_predictions', False)

    def assign(self, priors: Tensor, batch_gt: Any, **kwargs: Any) -> Tensor:
        self.priors, self.batch_gt, self.num_level_priors = priors, batch_gt, kwargs['num_level_priors']
        self.assigned_gt_inds = self.assigner.assign(priors, batch_gt, **kwargs)
        return self.assigned_gt_inds


def browse(config: Config, split: str, images: int, repeat: int, seed: int) -> Browsed:
    """Draw images of a data set by lot, and send them through its pipeline and the detector's loss.

    The assigner is the detector's own, called by its own loss. One that reads predictions sees those of weights that
    nothing has trained.

    Args:
        config: A whole config that ``validate_config`` has passed.
        split: 'train' or 'val'.
        images: How many; all of them where there are fewer.
        repeat: How often each goes through the pipeline.
        seed: Of the choice and of the augmentation.

    Raises:
        UserError: Something cannot be built, or the detector's head has no assigner of default boxes.
    """
    register_all_modules()
    set_random_seed(seed)
    with refusals_in_one_line(config):
        model = MODELS.build(config.model)
        loader = Runner.build_dataloader(config[f'{split}_dataloader'])
    head = getattr(model, 'bbox_head', None)
    if not hasattr(getattr(head, 'assigner', None), 'assign') or not hasattr(head, 'priors'):
        raise UserError(
            f'model.bbox_head: {type(head).__name__}, expected ssd_plugin.SSDHead, whose default boxes are to be drawn'
        )
    chosen = torch.randperm(len(loader.dataset), generator=torch.Generator().manual_seed(seed))[:images].tolist()
    metainfo = loader.dataset.metainfo
    indices = [index for index in chosen for _ in range(repeat)]
    return Browsed(
        _samples(model, loader, indices, _is_original(config, split)),
        len(indices),
        metainfo['classes'],
        get_palette(metainfo.get('palette'), len(metainfo['classes'])),
    )


def _is_original(config: Config, split: str) -> bool:
    """Tell whether gt boxes stay in pixels of the original image: they are loaded after the resize, as for metrics."""
    dataset = config[f'{split}_dataloader'].dataset
    while inner := dataset.get('dataset') or next(iter(dataset.get('datasets') or ()), None):
        dataset = inner
    kinds = [str(step['type']).rpartition('.')[2] for step in dataset.get('pipeline') or ()]
    resizes = [i for i, kind in enumerate(kinds) if 'Resize' in kind or 'Augment' in kind]
    return 'LoadAnnotations' in kinds and bool(resizes) and kinds.index('LoadAnnotations') > resizes[0]


@torch.no_grad()
def _samples(model: nn.Module, loader: Any, indices: Sequence[int], original: bool) -> Iterator[Sample]:
    model.train()
    recorder = model.bbox_head.assigner = _Recorder(model.bbox_head.assigner)  # type: ignore[union-attr]
    for index in indices:
        batch = model.data_preprocessor(loader.collate_fn([loader.dataset[index]]), True)  # type: ignore[operator]
        inputs, (sample,) = batch['inputs'], batch['data_samples']
        if original:
            instances = sample.gt_instances
            instances.bboxes = instances.bboxes * instances.bboxes.new_tensor(sample.scale_factor).repeat(2)
        model.loss(inputs, [sample])  # type: ignore[operator]
        yield _describe(model.data_preprocessor, inputs[0], sample, recorder)


def _describe(preprocessor: Any, image: Tensor, sample: DetDataSample, recorder: _Recorder) -> Sample:
    gt_inds = recorder.assigned_gt_inds[0]
    positive = gt_inds >= 0
    valid = recorder.batch_gt.gt_valid[0]
    # Boxes that training leaves out have no place in the picture, nor in the count.
    places = valid.cumsum(0) - 1
    return Sample(
        name=Path(sample.img_path).name,
        pixels=original_pixels(preprocessor, image),
        gt_bboxes=recorder.batch_gt.gt_bboxes[0][valid].numpy(),
        gt_labels=recorder.batch_gt.gt_labels[0][valid].numpy(),
        default_boxes=recorder.priors[positive].numpy(),
        gt_inds=places[gt_inds[positive]].numpy(),
        by_level=[int(level.sum()) for level in positive.split(recorder.num_level_priors)],
    )


def original_pixels(preprocessor: Any, image: Tensor) -> np.ndarray:
    """Undo what a data preprocessor did to the values of an image.

    Args:
        preprocessor: mmengine's ``ImgDataPreprocessor`` or one made of it.
        image: (3, H, W) float, its output.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if preprocessor._enable_normalize:
        image = image * preprocessor.std + preprocessor.mean
    if not preprocessor._channel_conversion:
        image = image.flip(0)  # files are read as BGR
    return image.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
