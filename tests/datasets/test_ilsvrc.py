import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, METRICS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from ssd_plugin.datasets import ILSVRCDetDataset
from ssd_plugin.datasets.preparation.synsets import SYNSETS

CONFIG = Path(__file__).parents[2] / 'configs' / 'ssd' / 'ssd300_vgg16_ilsvrc-det.py'


def test_the_200_classes():
    classes = ILSVRCDetDataset.METAINFO['classes']
    assert (len(classes), classes[0], classes[123], classes[-1]) == (200, 'accordion', 'person', 'zebra')


def test_labels_follow_the_categories(tmp_path):
    classes = ILSVRCDetDataset.METAINFO['classes']
    found = dict(id=1, image_id=7, category_id=SYNSETS['n02084071'], bbox=[1, 2, 10, 20], area=200, iscrowd=0)
    content = dict(
        images=[dict(id=7, file_name='train/a.JPEG', width=50, height=40)],
        annotations=[found],
        categories=[dict(id=number, name=name) for number, name in enumerate(classes, start=1)],
    )
    (tmp_path / 'det.json').write_text(json.dumps(content))
    dataset = DATASETS.build(
        dict(
            type='ssd_plugin.ILSVRCDetDataset',
            data_root=str(tmp_path),
            ann_file='det.json',
            data_prefix=dict(img='Data/DET/'),
            pipeline=[],
        )
    )
    info = dataset.get_data_info(0)
    assert info['img_path'] == str(tmp_path / 'Data/DET/train/a.JPEG')
    assert [(classes[one['bbox_label']], one['bbox']) for one in info['instances']] == [('dog', [1, 2, 11, 22])]


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The shipped config over two images of val2: a dog on the first, a dog and a zebra on the second."""
    monkeypatch.setenv('ILSVRC_ROOT', str(tmp_path))
    register_all_modules()
    boxes = (
        (1, SYNSETS['n02084071'], [10, 10, 20, 20]),
        (2, SYNSETS['n02084071'], [5, 5, 20, 20]),
        (2, 200, [30, 8, 9, 9]),
    )
    content = dict(
        images=[dict(id=number, file_name=f'val/{number}.JPEG', width=60, height=40) for number in (1, 2)],
        annotations=[
            dict(id=number, image_id=image, category_id=category, bbox=box, area=box[2] * box[3], iscrowd=0)
            for number, (image, category, box) in enumerate(boxes, start=1)
        ],
        categories=[dict(id=number, name=name) for number, name in enumerate(ILSVRCDetDataset.METAINFO['classes'], 1)],
    )
    for folder in ('annotations', 'Data/DET/val'):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / 'annotations/det_val2.json').write_text(json.dumps(content))
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f'Data/DET/val/{number}.JPEG'), np.zeros((40, 60, 3), np.uint8))
    return Config.fromfile(CONFIG)


def test_shipped_metrics_measure_it(config):
    dataset = DATASETS.build(config.test_dataloader.dataset)
    # One dog is found with an IoU of 0.8, the other is missed, the zebra is found as it is.
    found = ([([10.0, 10.0, 26.0, 30.0], 'dog')], [([30.0, 8.0, 39.0, 17.0], 'zebra')])
    samples = []
    for index, detections in enumerate(found):
        sample = dataset[index]['data_samples']
        sample.pred_instances = InstanceData(
            bboxes=torch.tensor([box for box, _ in detections]),
            scores=torch.tensor([0.9]),
            labels=torch.tensor([dataset.metainfo['classes'].index(name) for _, name in detections]),
        )
        samples.append(sample)
    evaluator = Evaluator([METRICS.build(metric) for metric in config.test_evaluator])
    evaluator.dataset_meta = dataset.metainfo
    evaluator.process(samples)
    result = evaluator.evaluate(len(dataset))
    # Dog: half of the recall at full precision; zebra: all; the other 198 classes have no objects.
    assert result['pascal_voc/mAP'] == pytest.approx((0.5 + 1) / 2)
    # COCO interpolates at 101 recalls, 51 of them up to a half.
    assert result['coco/bbox_mAP_50'] == pytest.approx((51 / 101 + 1) / 2, abs=1e-3)
    assert result['coco/bbox_mAP'] < result['coco/bbox_mAP_50']
