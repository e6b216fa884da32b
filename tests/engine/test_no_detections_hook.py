"""A validation or test that detects nothing has an average precision of 0."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from mmdet.evaluation import CocoMetric, VOCMetric
from mmengine.config import Config

from ssd_plugin.engine.no_detections_hook import NoDetectionsHook

ROOT = Path(__file__).parents[2]


def completed(metrics: dict, *evaluated: object) -> dict:
    runner = Mock()
    runner.val_evaluator.metrics = runner.test_evaluator.metrics = evaluated
    tested = dict(metrics)
    NoDetectionsHook().after_val_epoch(runner, metrics)
    NoDetectionsHook().after_test_epoch(runner, tested)
    assert tested == metrics
    return metrics


def test_what_is_missing_is_zero() -> None:
    metrics = completed({'pascal_voc/mAP': 0.0}, VOCMetric(), CocoMetric(metric='bbox'))
    items = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
    assert metrics == {'pascal_voc/mAP': 0.0, **{f'coco/bbox_{item}': 0.0 for item in items}}


def test_figures_are_kept() -> None:
    assert completed({'mine/bbox_mAP': 0.5}, CocoMetric(metric_items=['mAP'], prefix='mine')) == {'mine/bbox_mAP': 0.5}


@pytest.mark.parametrize('metric', [VOCMetric(), CocoMetric(format_only=True, outfile_prefix='x')])
def test_other_metrics_and_mere_files_get_none(metric: object) -> None:
    assert completed({}, metric) == {}


def test_every_config_has_it() -> None:
    hooks = Config.fromfile(ROOT / 'configs' / '_base_' / 'default_runtime.py').custom_hooks
    assert {'type': 'ssd_plugin.NoDetectionsHook'} in hooks
