import numpy as np
import pytest
import torch
from mmdet.evaluation import VOCMetric
from mmdet.registry import METRICS

from ssd_plugin.evaluation.voc07_metric import VOC07Metric, eleven_point_ap


def original_eleven_point_ap(found, objects):
    """ComputeAP of the authors, with its early ends: hits in the order of the scores -> AP."""
    true = np.cumsum(found)
    recall = [np.float32(count) / np.float32(objects) for count in true]
    precision = [np.float32(count) / np.float32(i + 1) for i, count in enumerate(true)]
    best, start = [0.0] * 11, len(found) - 1
    for j in range(10, -1, -1):
        for i in range(start, -1, -1):
            if float(recall[i]) < j / 10.0:
                start = i
                if j > 0:
                    best[j - 1] = best[j]
                break
            best[j] = max(best[j], float(precision[i]))
    return sum(value / 11 for value in best)


def curves(found, objects):
    true = np.cumsum(found, dtype=np.float32)
    return true / np.float64(objects), true / np.arange(1, len(found) + 1)


@pytest.mark.parametrize('seed', range(100))
def test_equals_the_authors_loop(seed):
    random = np.random.default_rng(seed)
    objects = int(random.integers(1, 31))
    found = random.permutation([1] * int(random.integers(0, objects + 1)) + [0] * int(random.integers(0, 30)))
    expected = original_eleven_point_ap(found, objects) if len(found) else 0
    assert eleven_point_ap(*curves(found, objects)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(('hits', 'levels'), [(1, 2), (3, 4), (6, 7), (7, 7), (8, 9), (9, 9), (10, 11)])
def test_which_tenths_are_reached(hits, levels):
    """With 10 objects and no false detection, AP counts the levels reached."""
    assert eleven_point_ap(*curves([1] * hits, 10)) == pytest.approx(levels / 11)


def test_no_detection():
    assert eleven_point_ap(np.zeros(0), np.zeros(0)) == 0


def sample(objects, detections, difficult=()):
    """Boxes of 20 pixels, 50 apart; (place, label) of objects, (place, label, score) of detections."""

    def boxes(places):
        return torch.tensor([[50.0 * place, 0, 50.0 * place + 20, 20] for place in places]).reshape(-1, 4)

    def instances(rows):
        return dict(bboxes=boxes([row[0] for row in rows]), labels=torch.tensor([row[1] for row in rows]).long())

    found = dict(instances(detections), scores=torch.tensor([row[2] for row in detections]))
    return dict(gt_instances=instances(objects), ignored_instances=instances(difficult), pred_instances=found)


def measure(metric, samples):
    metric.dataset_meta = dict(classes=('cat', 'dog', 'horse'))
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_three_of_ten_objects_reach_a_recall_of_three_tenths():
    objects = [(place, 0) for place in range(10)]
    # A difficult object and a duplicate beside: the first counts neither way, the second comes last.
    detections = [(0, 0, 0.9), (20, 0, 0.85), (1, 0, 0.8), (2, 0, 0.7), (0, 0, 0.1)]
    samples = [sample(objects, detections, difficult=[(20, 0)]), sample([(0, 1)], [(0, 1, 0.5)])]
    # Recalls 0 to 0.3 of the cat at precision 1, all of the dog; no horse.
    expected = (4 / 11 + 1) / 2
    found = measure(METRICS.build(dict(type='ssd_plugin.VOC07Metric')), samples)
    assert found == {'pascal_voc/mAP': pytest.approx(expected), 'pascal_voc/AP50': round(expected, 3)}
    theirs = measure(VOCMetric(eval_mode='11points'), samples)
    assert theirs['pascal_voc/mAP'] == pytest.approx((3 / 11 + 1) / 2)


def test_no_objects_at_all():
    assert measure(VOC07Metric(), [sample([], [(0, 0, 0.9)])]) == {'pascal_voc/mAP': 0, 'pascal_voc/AP50': 0}
