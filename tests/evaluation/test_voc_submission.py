import tarfile

import pytest
import torch
from mmdet.registry import METRICS

from ssd_plugin.errors import UserError
from ssd_plugin.evaluation import voc_submission

CLASSES = ('aeroplane', 'bicycle', 'bird')
MAIN = 'results/VOC2012/Main'


@pytest.fixture
def metric(tmp_path):
    built = METRICS.build(dict(type='ssd_plugin.VOCSubmission', out_dir=str(tmp_path / 'out')))
    built.dataset_meta = dict(classes=CLASSES)
    return built


def sample(image, boxes, scores, labels):
    found = dict(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor(scores),
        labels=torch.tensor(labels, dtype=torch.int64),
    )
    return dict(img_id=image, pred_instances=found)


def test_lines_by_hand(metric, tmp_path):
    metric.process({}, [sample('2008_000001', [[0, 10, 49.5, 20.25], [1, 2, 3, 4]], [0.75, 0.01171875], [2, 0])])
    metric.process({}, [sample('2008_000004', [[5, 6, 7, 8]], [1.0], [2]), sample('2008_000006', [], [], [])])
    assert metric.evaluate(3) == {'voc_submission/images': 3, 'voc_submission/detections': 3}
    main = tmp_path / 'out' / MAIN
    assert (main / 'comp4_det_test_bird.txt').read_text() == (
        '2008_000001 0.750000 1.00 11.00 50.50 21.25\n2008_000004 1.000000 6.00 7.00 8.00 9.00\n'
    )
    assert (main / 'comp4_det_test_aeroplane.txt').read_text() == '2008_000001 0.011719 2.00 3.00 4.00 5.00\n'
    assert (main / 'comp4_det_test_bicycle.txt').read_text() == ''


def test_archive_holds_the_folder_as_the_server_wants_it(metric, tmp_path):
    metric.process({}, [sample('2008_000001', [[0, 0, 1, 1]], [0.5], [1])])
    metric.evaluate(1)
    with tarfile.open(tmp_path / 'out' / 'results.tar.gz', 'r:gz') as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
    assert set(files) == {f'{MAIN}/comp4_det_test_{name}.txt' for name in CLASSES}
    assert files[f'{MAIN}/comp4_det_test_bicycle.txt'] == b'2008_000001 0.500000 1.00 1.00 2.00 2.00\n'
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['results', 'results.tar.gz']


def test_a_second_run_replaces_the_first(metric, tmp_path):
    for score in (0.5, 0.25):
        metric.process({}, [sample('a', [[0, 0, 1, 1]], [score], [0])])
        metric.evaluate(1)
    text = (tmp_path / 'out' / MAIN / 'comp4_det_test_aeroplane.txt').read_text()
    assert text == 'a 0.250000 1.00 1.00 2.00 2.00\n'


def test_a_failure_leaves_the_first_run_alone(metric, tmp_path, monkeypatch):
    metric.process({}, [sample('a', [[0, 0, 1, 1]], [0.5], [0])])
    metric.evaluate(1)
    before = (tmp_path / 'out' / 'results.tar.gz').read_bytes()
    monkeypatch.setattr(voc_submission.tarfile, 'open', lambda *_: 1 / 0)
    metric.process({}, [sample('a', [[0, 0, 1, 1]], [0.25], [0])])
    with pytest.raises(ZeroDivisionError):
        metric.evaluate(1)
    assert (tmp_path / 'out' / 'results.tar.gz').read_bytes() == before
    assert '0.500000' in (tmp_path / 'out' / MAIN / 'comp4_det_test_aeroplane.txt').read_text()
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['results', 'results.tar.gz']


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / 'out').write_text('')
    with pytest.raises(UserError, match=r'VOCSubmission\.out_dir: .*out is a file, expected a folder'):
        METRICS.build(dict(type='ssd_plugin.VOCSubmission', out_dir=str(tmp_path / 'out')))
