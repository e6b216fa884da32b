from typing import Any

import pytest
from mmdet.utils import register_all_modules
from mmengine.config import Config

from ssd_plugin.cli.metric_names import check_best
from ssd_plugin.errors import UserError


def config(best: Any, *evaluators: dict[str, Any]) -> Config:
    register_all_modules()
    hooks = {'checkpoint': {'save_best': best}}
    return Config({'default_scope': 'mmdet', 'val_evaluator': list(evaluators), 'default_hooks': hooks})


COCO, VOC = {'type': 'CocoMetric'}, {'type': 'VOCMetric'}


@pytest.mark.parametrize(
    ('best', 'evaluator'),
    [
        (None, COCO),
        ('auto', COCO),
        ('coco/bbox_mAP', COCO),
        (['coco/bbox_mAP_s', 'coco/bbox_mAP_75'], COCO),
        ('coco/ring_precision', {**COCO, 'classwise': True}),
        ('coco/bbox_AR@100', {**COCO, 'metric_items': ['AR@100']}),
        ('coco/AR@100', {**COCO, 'metric': ['bbox', 'proposal']}),
        ('mine/bbox_mAP', {**COCO, 'prefix': 'mine'}),
        ('pascal_voc/mAP', VOC),
        ('pascal_voc/AP50', VOC),
        ('pascal_voc/AP75', {**VOC, 'iou_thrs': [0.5, 0.75]}),
        ('pascal_voc/AP40', {'type': 'ssd_plugin.VOC07Metric', 'iou_thr': 0.4}),
        ('pascal_voc/AR@100', {**VOC, 'metric': 'recall'}),
        ('cityscapes/anything', {'type': 'CityScapesMetric'}),
    ],
)
def test_metrics_of_the_evaluators(best: Any, evaluator: dict[str, Any]) -> None:
    check_best(config(best, evaluator))
    check_best(config(best, VOC, evaluator))


@pytest.mark.parametrize(
    ('best', 'evaluator', 'close'),
    [
        ('bbox_mAP', COCO, 'coco/bbox_mAP, '),
        ('coco/bbox_map', COCO, 'coco/bbox_mAP, '),
        ('coco/ring_precision', COCO, 'coco/bbox_mAP'),
        (['coco/bbox_mAP', 'coco/mAP'], COCO, 'coco/bbox_mAP, '),
        ('coco/bbox_mAP', {**COCO, 'metric_items': ['mAP_50']}, 'coco/bbox_mAP_50$'),
        ('pascal_voc/AP75', VOC, 'pascal_voc/AP50, '),
        ('voc/mAP', VOC, 'pascal_voc/mAP, '),
        (3, VOC, 'pascal_voc/'),
    ],
)
def test_a_metric_of_no_evaluator(best: Any, evaluator: dict[str, Any], close: str) -> None:
    name = repr(best[-1] if isinstance(best, list) else best)
    line = rf'^default_hooks\.checkpoint\.save_best: {name}, expected auto or a metric such as {close}'
    with pytest.raises(UserError, match=line):
        check_best(config(best, evaluator))


def test_an_evaluator_that_no_registry_knows() -> None:
    with pytest.raises(
        UserError, match=r"^val_evaluator\[0\]\.type: 'COCOMetric' is not registered, expected one like "
    ):
        check_best(config('coco/bbox_mAP', {'type': 'COCOMetric'}))


def test_without_evaluators_there_is_nothing_to_compare() -> None:
    check_best(config('coco/bbox_mAP'))
    check_best(Config({}))
