"""Run the check of annotations and mmdet's readers on a data set with a spoilt file."""

import math
from pathlib import Path
from typing import Any

import torch
from mmdet.evaluation import CocoMetric
from mmdet.registry import DATASETS
from mmengine.config import Config
from one_line import assert_one_line

from ssd_plugin.datasets.doctor.check_annotations import check_annotations, read_copies
from ssd_plugin.datasets.transforms.filtering import LARGEST
from ssd_plugin.errors import UserError

LOADERS = ('train_dataloader', 'val_dataloader')


def outcome(config: Config, root: Path) -> str:
    """What becomes of the data: 'refused' in one line, or 'repaired' or 'loaded' with numbers that can be learned."""
    originals = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    try:
        lines, copies = check_annotations(config, LOADERS, root / 'copies')
        read_copies(config, LOADERS, copies)
    except UserError as error:
        assert_one_line(error)
        return 'refused'
    finally:
        assert originals == {path: path.read_bytes() for path in originals}
    for line in lines:
        assert_one_line(line)
    for part in (config.train_dataloader.dataset.dataset, config.val_dataloader.dataset):
        _assert_sound(DATASETS.build(part))
    if config.val_dataloader.dataset.type == 'CocoDataset':
        _evaluate(DATASETS.build(config.val_dataloader.dataset), config.val_evaluator[0].ann_file)
    return 'repaired' if copies else 'loaded'


def _assert_sound(dataset: Any) -> None:
    classes = dataset.metainfo['classes']
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        assert all(type(info[side]) in (int, float) and 0 < info[side] < math.inf for side in ('width', 'height'))
        for instance in info['instances']:
            assert len(instance['bbox']) == 4
            assert all(abs(edge) <= LARGEST for edge in instance['bbox'])
            assert instance['bbox_label'] in range(len(classes))
            assert instance['ignore_flag'] in (0, 1)


def _evaluate(dataset: Any, ann_file: str) -> None:
    """Detect every object that is loaded, as a validation would compare it with the file."""
    if not any(dataset.get_data_info(i)['instances'] for i in range(len(dataset))):
        return  # nothing is detected, which is the metric's own business
    metric = CocoMetric(ann_file=ann_file, metric='bbox')
    metric.dataset_meta = dataset.metainfo
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        boxes = torch.tensor([instance['bbox'] for instance in info['instances']], dtype=torch.float32).reshape(-1, 4)
        labels = torch.tensor([instance['bbox_label'] for instance in info['instances']], dtype=torch.int64)
        found = {'bboxes': boxes, 'scores': torch.ones(len(boxes)), 'labels': labels}
        sample = {'img_id': info['img_id'], 'ori_shape': (info['height'], info['width']), 'pred_instances': found}
        metric.process({}, [sample])
    precision = metric.evaluate(len(dataset))['coco/bbox_mAP']
    assert precision == -1 or 0 <= precision <= 1
