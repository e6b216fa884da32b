import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from benchmark.dataset_memory import measure, write_annotations

pytestmark = pytest.mark.skipif(not Path('/proc/self/smaps_rollup').is_file(), reason='memory is read from Linux')


def test_annotations_are_sound(tmp_path):
    path = tmp_path / 'train.json'
    assert write_annotations(path, 146) == 20
    content = json.loads(path.read_text())
    assert len(content['images']) == 20
    assert [annotation['id'] for annotation in content['annotations']] == list(range(146))
    for annotation in content['annotations']:
        x, y, w, h = annotation['bbox']
        assert 0 <= x < x + w <= 640
        assert 0 <= y < y + h <= 480
        assert annotation['area'] == w * h
        assert 0 <= annotation['image_id'] < 20


@pytest.mark.slow
@pytest.mark.parametrize('shared', [True, False])
def test_workers_share_one_copy(shared, tmp_path):
    path = tmp_path / 'train.json'
    write_annotations(path, 200_000)
    # A process of its own: what earlier tests left in this one would count as the workers' too, once they touch it.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('spawn')) as pool:
        found = pool.submit(measure, path, 2, serialize=shared).result()
    loaded = found['after']['Rss'] - found['before']['Rss']
    assert loaded > 80  # MiB
    assert len(found['workers']) == 2
    for worker in found['workers']:
        # 10 MiB are a worker's own; without serialize_data, reading counts references and so copies every page.
        assert (worker['Private'] < 30) == shared
