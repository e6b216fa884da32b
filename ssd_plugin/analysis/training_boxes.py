"""Read what a config trains on, and build the detector that does: gt boxes as the network's input shows them."""

import contextlib
import copy
import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from numpy.typing import NDArray

from ssd_plugin.cli.config_data import check_classes, check_data
from ssd_plugin.cli.config_types import refusals_in_one_line
from ssd_plugin.datasets.doctor.check_annotations import check_annotations, read_copies
from ssd_plugin.datasets.transforms.filtering import usable
from ssd_plugin.errors import UserError
from ssd_plugin.models.detectors import SSD

_LOADERS = ('train_dataloader',)

#: Wraps what is gone through, given a description and the number of steps, and shows how far it is.
Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]


@dataclass(frozen=True)
class TrainingBoxes:
    """The gt boxes that a config trains on.

    Attributes:
        boxes: (M, 4) float64, xyxy in pixels of the network's input, without augmentation.
        labels: (M,) int, of ``classes``.
        image_ids: (M,) int, of ``paths``.
        paths: The image files.
        classes: Names of the classes.
    """

    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    paths: list[Path]
    classes: tuple[str, ...]


def build_detector(config: Config) -> SSD:
    """Build the detector of a config, without its weights.

    Args:
        config: A whole config.

    Returns:
        The detector, whose geometry is measured.

    Raises:
        UserError: It cannot be built, or is none that measures its geometry.
    """
    init_default_scope(config.get('default_scope', 'mmdet'))
    with refusals_in_one_line(config):
        detector = MODELS.build(config.model)
    if not isinstance(detector, SSD):
        raise UserError(f'model.type: {config.model.type!r}, expected a detector with default boxes, ssd_plugin.SSD')
    return detector


def training_boxes(config: Config, input_size: tuple[int, int], progress: Progress) -> TrainingBoxes:
    """Read the gt boxes of the training data through the config's own data sets, its check of annotations included.

    Left out are the boxes that training leaves out: those without area, those outside the image, and ignored ones,
    unless ``SSDFilterBoxes`` is told to use difficult objects.

    Args:
        config: A whole config.
        input_size: (W, H) of the network's input in pixels; images are squeezed to it.
        progress: Shows how far the reading is.

    Returns:
        The boxes.

    Raises:
        UserError: The data are not there, cannot be read, or hold no object.
    """
    check_data(config, _LOADERS)
    check_classes(config, _LOADERS)
    init_default_scope(config.get('default_scope', 'mmdet'))
    config = copy.deepcopy(config)  # it may name repaired copies of the annotations
    boxes: list[NDArray[np.float64]] = []
    labels: list[int] = []
    image_ids: list[int] = []
    paths: list[Path] = []
    with tempfile.TemporaryDirectory() as folder:
        read_copies(config, _LOADERS, check_annotations(config, _LOADERS, Path(folder)).copies)
        # pycocotools prints how its reading gets on.
        with refusals_in_one_line(config), contextlib.redirect_stdout(io.StringIO()):
            datasets = list(_leaves(DATASETS.build(config.train_dataloader.dataset)))
    for dataset in datasets:
        steps = getattr(dataset.pipeline, 'transforms', ())
        use_ignored = any(getattr(step, 'use_difficult_gt', False) for step in steps)
        for i in progress(range(len(dataset)), 'gt boxes', len(dataset)):
            image = dataset.get_data_info(i)
            sides = image['width'], image['height']
            instances = [one for one in image['instances'] if use_ignored or not one['ignore_flag']]
            found = np.array([one['bbox'] for one in instances], dtype=np.float64).reshape(-1, 4)
            good = usable(found, *sides)
            boxes.append(found[good] * np.tile(np.divide(input_size, sides), 2))
            labels += [one['bbox_label'] for one, is_good in zip(instances, good) if is_good]
            image_ids += [len(paths)] * int(good.sum())
            paths.append(Path(image['img_path']))
    if not labels:
        raise UserError('train_dataloader: no gt box to measure, expected at least one')
    return TrainingBoxes(
        np.concatenate(boxes), np.array(labels), np.array(image_ids), paths, tuple(datasets[0].metainfo['classes'])
    )


def _leaves(dataset: Any) -> Iterator[Any]:
    """Look into wrappers, as mmdet's ``ConcatDataset`` (``datasets``) and ``RepeatDataset`` (``dataset``)."""
    inner = getattr(dataset, 'datasets', None) or [one for one in [getattr(dataset, 'dataset', None)] if one]
    if not inner:
        yield dataset
    for one in inner:
        yield from _leaves(one)
