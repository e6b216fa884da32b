"""The gate that an exported file has to pass: on real images it finds what its detector finds, and has its AP."""

import copy
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple, Optional

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from rich.progress import track
from terminaltables import AsciiTable
from torch.utils.data import DataLoader, Subset

from ssd_plugin.cli.config_types import walk
from ssd_plugin.errors import UserError

from .exported_detector import ExportedDetector
from .parity import Comparison, Tolerances

BATCH_SIZE = 4


class GateImages(NamedTuple):
    """Real images in batches, and what measures AP on them.

    Attributes:
        batches: Of packed samples.
        size: Number of images.
        evaluators: One for each of two detectors; none where the images have no annotations.
    """

    batches: DataLoader
    size: int
    evaluators: Sequence[Evaluator] = ()


def validation_images(config: Config, limit: Optional[int]) -> GateImages:
    """Take the validation set of a config.

    Args:
        config: Checked, with ``val_dataloader`` and ``val_evaluator``.
        limit: The first so many images alone, of which AP is measured then; None: all.
    """
    loader, evaluator = copy.deepcopy(config.val_dataloader), copy.deepcopy(config.val_evaluator)
    dataset = DATASETS.build(loader.dataset)
    count = min(limit or len(dataset), len(dataset))
    if count < len(dataset):
        for _, metric in walk(evaluator, 'val_evaluator'):
            # The images of this file that are left out would count as missed; samples have their own annotations.
            metric.pop('ann_file', None)
    loader.batch_size = BATCH_SIZE
    loader.pop('batch_sampler', None)
    evaluators = [Evaluator(copy.deepcopy(evaluator)) for _ in range(2)]
    for one in evaluators:
        one.dataset_meta = dataset.metainfo
    return GateImages(Runner.build_dataloader({**loader, 'dataset': Subset(dataset, range(count))}), count, evaluators)


def image_files(paths: Sequence[Path], pipeline: Any) -> GateImages:
    """Take image files.

    Args:
        paths: The files.
        pipeline: Test pipeline of an inferencer.
    """

    def collate(names: list[str]) -> Any:
        return pseudo_collate([pipeline(name) for name in names])

    names: Any = [str(path) for path in paths]
    return GateImages(DataLoader(names, BATCH_SIZE, collate_fn=collate), len(paths))


def prove(reference: Any, exported: ExportedDetector, images: GateImages, tolerances: Tolerances) -> str:
    """Let both predict the images, and compare.

    Args:
        reference: The detector, in evaluation mode.
        exported: Its exported file.
        images: Real ones.
        tolerances: How far they may be apart.

    Returns:
        A table of what was compared.

    Raises:
        UserError: They are further apart, or nothing was found that could be compared; the line has the worst image
            and its difference.
    """
    comparison = Comparison(tolerances, exported.metadata.test_cfg)
    for batch in track(images.batches, description='Comparing', total=len(images.batches)):
        with torch.no_grad():
            sides = [detector.test_step(copy.deepcopy(batch)) for detector in (reference, exported)]
        for expected, found in zip(*sides):
            comparison.add(expected.pred_instances.cpu(), found.pred_instances.cpu(), Path(expected.img_path).name)
        for evaluator, samples in zip(images.evaluators, sides):
            evaluator.process(samples, batch)
    with _silent():
        metrics = [evaluator.evaluate(images.size) for evaluator in images.evaluators]
    rows = [['difference', 'largest', 'allowed', 'image'], *map(list, comparison.rows())]
    fault = comparison.fault()
    before, after = metrics or ({}, {})
    # A class without objects has no AP.
    apart = {name: abs(value - after[name]) for name, value in before.items() if value == value}
    if apart:
        name = max(apart, key=lambda one: (apart[one] != apart[one], apart[one]))
        rows.append([f'{len(apart)} metrics of AP', f'{apart[name]:.2g}', f'{tolerances.ap:g}', ''])
        # Metrics are rounded to thousandths.
        if not fault and not apart[name] <= tolerances.ap + 1e-6:
            fault = f'{name}: {before[name]:g} became {after[name]:g}, expected at most {tolerances.ap:g} apart'
    table = f'{comparison.images} images, {comparison.detections} detections\n{AsciiTable(rows).table}'
    if comparison.tipped:
        table += f'\n{comparison.tipped} detections on the edge of suppression went the other way by rounding.'
    if not comparison.detections:
        fault = f'no detection in {comparison.images} images to compare, expected a trained checkpoint and its images'
    if fault:
        print(table)
        raise UserError(f'{Path(exported.file).name} does not predict as its checkpoint: {fault}')
    return table


@torch.no_grad()
def measure_ap(detector: Any, images: GateImages) -> dict[str, float]:
    """Let a detector predict the images, and give its metrics.

    Args:
        detector: In evaluation mode.
        images: With an evaluator.
    """
    evaluator = images.evaluators[0]
    for batch in track(images.batches, description='Measuring AP', total=len(images.batches)):
        evaluator.process(detector.test_step(batch), batch)
    with _silent():
        return evaluator.evaluate(images.size)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep back the tables of evaluators: two of them would be printed."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
