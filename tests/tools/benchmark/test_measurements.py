"""Each measurement runs once on the smallest network; how long it takes is nobody's business here."""

import copy
import json
import math
import sys

import pytest
import torch

from benchmark import (
    budget,
    comparator_speed,
    deployment_speed,
    inference_speed,
    loss_speed,
    memory,
    pipeline_speed,
    prediction_speed,
    suite,
    table7,
    training_speed,
)
from benchmark.report import BudgetRow, Row
from benchmark.settings import Settings
from benchmark.timing import Figure, interleave
from ssd_plugin.errors import UserError


def test_pipeline_speed(tmp_path, once, check):
    images = pipeline_speed.write_images(tmp_path, 2)
    assert all(3 <= len(image['instances']) <= 8 for image in images)
    threads = torch.get_num_threads()
    check(pipeline_speed.measure(images, once), 'ours', 'steps', 'mmdet', 'floor')
    assert torch.get_num_threads() == threads


def test_loss_speed(pair, once, check):
    check(interleave(loss_speed.sides(pair, images=2, objects=3, device='cpu'), once), 'ours', 'mmdet')


def test_total_adds_the_images_of_a_list():
    losses = dict(loss_cls=[torch.tensor([1.0]), torch.tensor([2.0])], loss_bbox=torch.tensor(0.5))
    assert loss_speed.total(losses) == 3.5


@pytest.mark.parametrize('crowded', [False, True])
def test_prediction_speed(pair, crowded, once, check):
    check(interleave(prediction_speed.sides(pair, 1, crowded, 'cpu'), once), 'ours', 'same', 'mmdet')


def test_inference_speed(pair, once, check):
    check(inference_speed.measure(pair, 1, 'cpu', once), 'ours', 'fp32', 'mmdet', 'floor')


def test_deployment_speed(pair, monkeypatch, tmp_path):
    monkeypatch.setattr(deployment_speed, 'require', lambda module: None)  # nothing of theirs is run here
    monkeypatch.setattr(deployment_speed, 'build_pair', lambda name, device: pair)
    monkeypatch.setattr(deployment_speed, 'sharpen', lambda built, image: None)
    monkeypatch.setattr(deployment_speed, 'sides', lambda pair, folder: dict.fromkeys(('int8', 'mmdet', 'floor')))
    seconds = dict(int8=[0.01], float32=[0.02], amp=[0.03], mmdet=[0.05], floor=[0.008])
    monkeypatch.setattr(deployment_speed, 'interleave', lambda sides, budget: seconds)
    *rows, limit = deployment_speed.rows(Settings(quick=True))
    assert [round(row.times(), 3) for row in rows] == [5.0, 2.5, 1.667]
    assert [row.of_floor() for row in rows] == [pytest.approx(0.8), None, None]
    assert (limit.unit, limit.limit, limit.measured, limit.kept()) == ('times', 4, pytest.approx(5), True)


def test_deployment_speed_is_skipped_in_a_line_without_its_libraries(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'nncf', None)
    assert not list(deployment_speed.rows(Settings(quick=True)))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('deployment is skipped: nncf is not installed')


@pytest.mark.slow
def test_the_sides_of_deployment_detect(pair, tmp_path, once, check):
    pytest.importorskip('nncf')
    sides = deployment_speed.sides(copy.deepcopy(pair), tmp_path)
    check(interleave(sides, once), 'int8', 'float32', 'amp', 'mmdet', 'floor')
    assert len(sides['int8']()) > 0


def test_comparators_are_those_that_were_trained(monkeypatch, capsys):
    trained = {'ssd300_r18_bccd': [0.01], 'retinanet_r18_bccd': [0.03]}

    def detect(folder, device):
        if folder.name not in trained:
            raise UserError(f'{folder}: no such folder')
        return lambda: None

    monkeypatch.setattr(comparator_speed, 'trained_detection', detect)
    monkeypatch.setattr(comparator_speed, 'interleave', lambda sides, *_: {name: trained[name] for name in sides})
    (row,) = comparator_speed.rows(Settings(quick=True))
    assert (row.case, row.times()) == ('retinanet_r18_bccd, batch 1, both fp32', pytest.approx(3))
    skipped = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
    assert skipped == ['faster-rcnn_r18_bccd', 'ssd300_r18_mmdet-parts_bccd', 'yolov3_mobilenetv2_bccd']


def test_no_comparators_without_ours_in_a_line(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert not list(comparator_speed.rows(Settings(quick=True)))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('comparators: ssd300_r18_bccd is skipped: work_dirs/ssd300_r18_bccd: no such folder')


def test_training_speed_leaves_the_weights(pair, once, check):
    pair = copy.deepcopy(pair)  # training moves the statistics of the normalisations
    before = {name: value.clone() for name, value in pair.ours.named_parameters()}
    check(training_speed.measure(pair, 2, 'cpu', once), 'ours', 'fp32', 'mmdet', 'floor')
    assert all(torch.equal(value, before[name]) for name, value in pair.ours.named_parameters())


@pytest.mark.skipif(not memory.STATUS.is_file(), reason='the peak memory of a process is read from Linux')
def test_memory():
    assert 1 < memory.measure('ours', 'SSDLite MobileNetV2 COCO', 2, 'cpu') < 4000


def test_budget(pair, monkeypatch):
    pair = copy.deepcopy(pair)
    monkeypatch.setattr(budget, 'build_pair', lambda name, device: pair)
    measured = iter(
        [
            dict(part=[0.02], whole=[0.5]),
            dict(ours=[0.02], mmdet=[0.08]),
            dict(part=[0.001], whole=[0.5]),
            dict(ours=[0.001], same=[9], mmdet=[0.0019]),
            dict(ours=[0.001], same=[9], mmdet=[0.0031]),
        ]
    )

    def run_once(sides, *_):
        for run in sides.values():
            run()
        seconds = next(measured)
        assert set(seconds) == set(sides)
        return seconds

    monkeypatch.setattr(budget, 'interleave', run_once)
    found = [(row.unit, row.limit, round(row.measured, 6), row.kept()) for row in budget.rows(Settings(quick=True))]
    assert found == [
        ('share', 0.03, 0.04, False),
        ('times', 3, 4.0, True),
        ('share', 0.03, 0.002, True),
        ('times', 2, 1.9, False),
        ('times', 3, 3.1, True),
    ]


def test_table7(pair, monkeypatch):
    monkeypatch.setattr(table7, 'build_pair', lambda name, device: pair)
    monkeypatch.setattr(table7, 'sharpen', lambda built, image: None)
    monkeypatch.setattr(table7, 'interleave', lambda sides, budget, device: {'1': [0.5], '8': [2.0]})
    published, ours = table7.rows(Settings(quick=True))
    assert (published.map, published.fps_1, published.fps_8) == (74.3, 46, 59)
    # 6 boxes in each cell of maps of 20, 10, 5, 3, 2 and 1.
    assert (ours.map, ours.fps_1, ours.fps_8, ours.boxes, ours.side) == (None, 2, 4, 3234, 320)


def test_the_suite_collects_rows_budget_and_table7(monkeypatch):
    row = Row('loss', 'case', 'ms', Figure(1, 1, 1))
    late = BudgetRow('file', 'times', 4, 5)
    monkeypatch.setitem(suite.PARTS, 'loss', lambda settings: iter([row, late]))
    monkeypatch.setattr(suite.table7, 'rows', lambda settings: iter([table7.PUBLISHED['SSD512']]))
    monkeypatch.setattr(sys, 'argv', ['benchmark.py', '--only', 'loss'])
    shown = []
    limit = BudgetRow('loss', 'times', 3, 4)
    monkeypatch.setattr(suite.budget, 'rows', lambda settings: iter([limit]))
    report = suite.run(['budget', 'loss', 'table7'], Settings(), shown.append)
    assert report.budget == [limit, late]
    assert shown == report.rows == [row]
    assert report.table7 == [table7.PUBLISHED['SSD512']]
    assert report.environment['command'] == 'benchmark.py --only loss'
    assert math.isfinite(json.loads(json.dumps(report.as_dict()))['rows'][0]['ours']['median'])
