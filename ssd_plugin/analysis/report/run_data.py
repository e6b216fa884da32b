"""Gather everything about one run that its report shows."""

import contextlib
import inspect
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch
from mmdet.evaluation import CocoMetric, VOCMetric
from mmdet.registry import METRICS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader, Runner
from numpy.typing import NDArray

from ssd_plugin.cli.checkpoint_fit import check_fit
from ssd_plugin.cli.config_types import find, refusals_in_one_line, walk
from ssd_plugin.cli.read_config import read_config
from ssd_plugin.cli.validate_config import validate_config
from ssd_plugin.errors import UserError

from .confusion import confusion_matrix
from .errors import Errors, find_errors
from .evaluation import Evaluation, evaluate
from .log_curves import LogCurves, read_curves
from .predictions import predict, read_predictions
from .recipe import checkpoint_text, describe_recipe
from .sensitivity import Sensitivity, measure_sensitivity
from .speed import Speed, measure_speed
from .work_folder import WorkFolder, find_run


@dataclass(frozen=True)
class Settings:
    """What the command line asks for.

    Attributes:
        split: 'val' or 'test'.
        predictions: File of ``tools/test.py --out`` in place of a checkpoint.
        options: Values of ``--cfg-options``, by dotted key.
        device: Such as 'cpu' or 'cuda'.
        score_thr: From which score on a detection is drawn, and counts in the confusion matrix.
    """

    split: str = 'val'
    predictions: Optional[Path] = None
    options: Optional[dict[str, Any]] = None
    device: str = 'cpu'
    score_thr: float = 0.3


@dataclass(frozen=True)
class RunData:
    """A run and how it does.

    Attributes:
        folder: Where it is.
        recipe: What was trained, as text by name.
        curves: Its logs.
        evaluation: Its detections, compared with the gt boxes.
        voc: mAP of the VOC metric of its config; None where it has none.
        errors: The mistakes among the detections.
        confusion: (C + 1, C + 1), see :func:`~.confusion.confusion_matrix`.
        sensitivity: To size and shape.
        speed: Of the detector on this machine; None where the predictions were read.
    """

    folder: WorkFolder
    recipe: dict[str, str]
    curves: LogCurves
    evaluation: Evaluation
    voc: Optional[float]
    errors: Errors
    confusion: NDArray[np.int64]
    sensitivity: Sensitivity
    speed: Optional[Speed]


def gather(path: Path, settings: Settings) -> RunData:
    """Read what a run has left, and evaluate its detector once; nothing is written.

    Args:
        path: Its work folder.
        settings: What to evaluate.

    Raises:
        UserError: Something is missing or does not fit; the line has the place.
    """
    folder = find_run(path, with_checkpoint=settings.predictions is None)
    with tempfile.TemporaryDirectory() as scratch:
        config = _evaluated_config(folder, settings, scratch)
        init_default_scope(config.get('default_scope') or 'mmdet')
        # mmdet's COCO data set prints.
        with refusals_in_one_line(config), contextlib.redirect_stdout(io.StringIO()):
            loader = Runner.build_dataloader(config.test_dataloader, seed=0)
            model = MODELS.build(config.model).to(settings.device).eval()
            metrics = list(_metrics(config))
    model.cfg = config  # where mmdet's inference looks for it
    dataset = loader.dataset
    meta = {}
    if settings.predictions is None:
        name = str(folder.checkpoint)
        checkpoint = CheckpointLoader.load_checkpoint(name, 'cpu')
        check_fit(model, checkpoint, name)
        meta = checkpoint.get('meta', {})
        predictions = predict(model, loader)
        paths = [dataset.get_data_info(index)['img_path'] for index in range(len(dataset))]
        speed = measure_speed(model, config, paths) if paths else None
    else:
        predictions = read_predictions(
            settings.predictions, [dataset.get_data_info(index)['img_id'] for index in range(len(dataset))]
        )
        speed = None
    coco = next((metric for metric in metrics if isinstance(metric, CocoMetric)), CocoMetric())
    evaluation = evaluate(coco, dataset, predictions)
    return RunData(
        folder,
        describe_recipe(config, model, checkpoint_text(folder, meta), f'{settings.split}, {len(dataset)} images'),
        read_curves(folder.path),
        evaluation,
        _voc_map(next((one for one in metrics if isinstance(one, VOCMetric)), None), dataset, predictions),
        find_errors(evaluation),
        confusion_matrix(evaluation, settings.score_thr),
        measure_sensitivity(evaluation),
        speed,
    )


def _evaluated_config(folder: WorkFolder, settings: Settings, scratch: str) -> Config:
    """Read the config of a run; what it tests on becomes what is asked for, and it writes to another folder."""
    config = read_config(str(folder.config), settings.options, scratch, 'none')
    for part in ('dataloader', 'evaluator'):
        name = f'{settings.split}_{part}'
        if not config.get(name):
            raise UserError(f'{folder.config}: no {name}, expected one, or another --split')
        config[f'test_{part}'] = config[name]
    config.test_cfg = dict(type='TestLoop')
    # What the training started from need not be there any more.
    started_from, config.load_from = config.get('load_from'), None
    validate_config(config, 'test')
    config.load_from = started_from
    return config


def _metrics(config: Config) -> Iterator[Any]:
    """Build the COCO and VOC metrics of the evaluator; others may write files."""
    for _, part in walk(config.test_evaluator, 'test_evaluator'):
        kind = find(METRICS, part.get('type'), config.get('default_scope'))
        if inspect.isclass(kind) and issubclass(kind, (CocoMetric, VOCMetric)):
            yield METRICS.build(part)


def _voc_map(metric: Optional[VOCMetric], dataset: Any, predictions: Sequence[dict[str, Any]]) -> Optional[float]:
    if metric is None:
        return None
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    instances = {info['img_id']: info['instances'] for info in infos}
    samples = [
        dict(
            pred_instances={key: torch.from_numpy(one[key]) for key in ('bboxes', 'scores', 'labels')},
            gt_instances=_tensors(instances[one['img_id']], 0),
            ignored_instances=_tensors(instances[one['img_id']], 1),
        )
        for one in predictions
    ]
    metric.dataset_meta = dataset.metainfo
    metric.process({}, samples)
    figures = metric.evaluate(len(samples))
    return next((value for name, value in figures.items() if name.endswith('mAP')), None)


def _tensors(instances: list[dict[str, Any]], ignored: int) -> dict[str, torch.Tensor]:
    chosen = [one for one in instances if one['ignore_flag'] == ignored]
    return dict(
        bboxes=torch.tensor([one['bbox'] for one in chosen]).reshape(-1, 4).float(),
        labels=torch.tensor([one['bbox_label'] for one in chosen], dtype=torch.long),
    )
