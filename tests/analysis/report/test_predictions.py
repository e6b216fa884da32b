import os
import pickle

import numpy as np
import pytest
import torch

from ssd_plugin.analysis.report.predictions import read_predictions
from ssd_plugin.errors import UserError
from ssd_plugin.evaluation.whole_dump import WholeDump


@pytest.fixture
def dump(tmp_path):
    """What tools/test.py --out writes."""
    path = tmp_path / 'found.pkl'
    metric = WholeDump(str(path))
    found = dict(bboxes=torch.rand(2, 4), scores=torch.tensor([0.9, 0.1]), labels=torch.tensor([1, 0]))
    metric.process({}, [dict(img_id=f'{one}', scale_factor=np.float64(2), pred_instances=found) for one in range(2)])
    metric.evaluate(2)
    return path


def test_what_test_writes_is_read(dump):
    first, second = read_predictions(dump, ['1', '0'])
    assert (first['img_id'], second['img_id']) == ('0', '1')
    assert first['scores'].tolist() == pytest.approx([0.9, 0.1])
    assert first['labels'].tolist() == [1, 0]
    assert first['bboxes'].shape == (2, 4)


def test_other_images_are_refused(dump):
    with pytest.raises(UserError, match=r'is about 2 images, 1 of them of this data set, expected its 2 images'):
        read_predictions(dump, ['0', 'a'])


def test_no_code_is_run(tmp_path):
    path = tmp_path / 'bad.pkl'
    path.write_bytes(pickle.dumps([os.getcwd, 'x']))
    with pytest.raises(UserError, match=r'bad.pkl is not readable \(UnpicklingError\), expected a file of tools/test'):
        read_predictions(path, [])


def test_no_file(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        read_predictions(tmp_path / 'none.pkl', [])
