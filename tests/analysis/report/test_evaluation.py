"""AP is the COCO metric's, and the matches are those of hand."""

import numpy as np
import pytest
from hand_made import CLASSES, HandMadeData, evaluated, predictions
from mmdet.evaluation import CocoMetric

from ssd_plugin.analysis.report.evaluation import AP_COLUMNS, evaluate

BOX, FAR = (10, 10, 30, 30), (100, 10, 150, 60)


def random_images(count):
    random = np.random.RandomState(0)

    def box():
        x, y = random.uniform(0, 100, 2)
        return (x, y, *(np.array([x, y]) + random.uniform(5, 150, 2)))

    images = []
    for _ in range(count):
        gt = [(random.randint(3), box(), int(random.rand() < 0.1)) for _ in range(random.randint(5))]
        near = [
            (truth[0] if random.rand() < 0.8 else random.randint(3), random.rand(), truth[1] + random.normal(0, 4, 4))
            for truth in gt
            for _ in range(2)
        ]
        images.append((gt, [*near, *((random.randint(3), random.rand() / 2, box()) for _ in range(3))]))
    return images


def test_ap_is_that_of_the_coco_metric_to_the_last_digit():
    images = random_images(30)
    data = HandMadeData(images)
    found = evaluate(CocoMetric(), data, predictions(images))
    metric = CocoMetric(classwise=True)
    metric.dataset_meta = data.metainfo
    infos = [data.get_data_info(index) for index in range(len(data))]
    results = [(dict(info, anns=info['instances']), one) for info, one in zip(infos, predictions(images))]
    theirs = metric.compute_metrics(results)
    items = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
    assert 0.1 < theirs['bbox_mAP'] < 0.9
    assert found.ap.round(3).tolist() == [theirs[f'bbox_{item}'] for item in items]
    assert found.class_ap[:, 0].round(3).tolist() == [theirs[f'{name}_precision'] for name in CLASSES]
    # The mean of the curve is the AP, and the columns agree with each other.
    assert found.precision.mean(1) == pytest.approx(found.class_ap[:, AP_COLUMNS.index('AP50')])
    assert found.class_ap.shape == (3, len(AP_COLUMNS))


def test_matches_and_ignored_boxes():
    found = evaluated(
        (
            [(0, BOX), (0, FAR, 1), (1, BOX)],
            [(0, 0.5, BOX), (0, 0.9, (11, 10, 31, 30)), (0, 0.8, FAR), (1, 0.7, FAR)],
        )
    )
    assert found.detections.score.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.5])
    assert found.detections.match.tolist() == [0, -1, -1, -1]
    assert found.detections.ignored.tolist() == [False, True, False, False]
    assert found.objects.match.tolist() == [0, -1, -1]
    assert found.objects.ignored.tolist() == [False, True, False]
    assert found.objects.bbox.tolist() == [list(BOX), list(FAR), list(BOX)]
    assert found.detections.label.tolist() == [0, 0, 1, 0]


def test_the_annotation_file_of_the_metric_counts(tmp_path):
    """As in COCO's files a dropped box is an object of the metric, and none of the data set."""
    images = [([(0, BOX), (0, FAR)], [(0, 0.9, BOX)])]
    metric = CocoMetric()
    metric.dataset_meta = {'classes': CLASSES}
    info = HandMadeData(images).get_data_info(0)
    path = metric.gt_to_coco_json([dict(info, anns=info['instances'])], str(tmp_path / 'both'))
    data = HandMadeData([([(0, BOX)], [])])
    assert evaluate(CocoMetric(), data, predictions(images)).ap[1] == pytest.approx(1)
    found = evaluate(CocoMetric(ann_file=path), data, predictions(images))
    assert found.ap[1] == pytest.approx(51 / 101)  # recall 0, 0.01, ..., 0.5
    assert len(found.objects) == 2


def test_no_detections():
    found = evaluated(([(0, BOX)], []), ([], []))
    assert found.ap[0] == 0
    assert found.class_ap[0, 0] == 0
    assert np.isnan(found.class_ap[1:]).all()
    assert len(found.detections) == 0
    assert found.objects.match.tolist() == [-1]


def test_no_objects():
    found = evaluated(([], [(0, 0.9, BOX)]), classes=('cat',))
    assert np.isnan(found.ap).all()
    assert np.isnan(found.class_ap).all()
    assert np.isnan(found.precision).all()
    assert found.detections.match.tolist() == [-1]
    assert not found.detections.ignored.any()
    assert len(found.objects) == 0
