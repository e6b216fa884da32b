"""Time trained detectors of ``configs/comparators`` beside ours: a photograph in, boxes in its pixels out."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import mmcv
from mmdet.registry import DATASETS

from ssd_plugin.analysis.report.work_folder import find_run
from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.errors import UserError

from .inference_speed import detection_in
from .peers import CONFIGS, quiet
from .report import Row
from .settings import Settings
from .timing import interleave, milliseconds

OURS = 'ssd300_r18_bccd'
# How many boxes are suppressed depends on the weights; here tools/train.py leaves them.
WORK_DIRS = Path('work_dirs')


def trained_detection(folder: Path, device: str) -> Callable[[], Any]:
    """Make a function that detects in the first test photograph of a run.

    Args:
        folder: Work folder of the run.
        device: 'cpu' or 'cuda'.

    Raises:
        UserError: There is no run, or its detector cannot be built.
    """
    run = find_run(folder, with_checkpoint=True)
    with quiet():
        inferencer = build_inferencer(str(run.config), str(run.checkpoint), device, show_progress=False)
    config = inferencer.cfg
    photograph = mmcv.imread(DATASETS.build(config.test_dataloader.dataset).get_data_info(0)['img_path'])
    return detection_in(inferencer.model, config, [photograph])


def rows(settings: Settings) -> Iterator[Row]:
    """Measure the rows of the report, for those that have been trained; none if ours has not."""
    sides = {}
    for name in (OURS, *sorted(path.stem for path in (CONFIGS / 'comparators').glob('*.py'))):
        try:
            sides[name] = trained_detection(WORK_DIRS / name, settings.device)
        except UserError as error:
            print(f'comparators: {name} is skipped: {error}', file=sys.stderr)
            if name == OURS:
                return
    seconds = interleave(sides, settings.budget(), settings.device)
    figures = {name: milliseconds(found) for name, found in seconds.items()}
    for name in list(sides)[1:]:
        yield Row('comparators', f'{name}, batch 1, both fp32', 'ms', ours=figures[OURS], mmdet=figures[name])
