"""One worker, in this process."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_detector import CLASSES, ROOT, write_detector, write_images

from ssd_plugin.prediction.image_parts import find_parts

pyarrow = pytest.importorskip('pyarrow', reason='the extra [ray] brings pyarrow')
from pyarrow import parquet  # noqa: E402

from ssd_plugin.prediction.part_predictor import MAX_TRIES, PartPredictor  # noqa: E402

# mmdet's inferencer draws into files, and has no folder for the config's backend.
pytestmark = pytest.mark.filterwarnings('ignore:Failed to add:UserWarning')
DONE = {'failure': None}


@pytest.fixture(scope='module')
def detector(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_detector(tmp_path_factory.mktemp('detector'))


@pytest.fixture(scope='module')
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_images(tmp_path_factory.mktemp('data') / 'images', 7)


@pytest.fixture(scope='module')
def expected(detector: tuple[Path, Path], images: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What tools/infer.py writes."""
    out = tmp_path_factory.mktemp('infer')
    tool = ROOT / 'tools' / 'infer.py'
    with pytest.MonkeyPatch.context() as patch:
        arguments = [*detector, images[0].parent, '--out-dir', out, '--batch-size', 3, '--device', 'cpu']
        patch.setattr(sys, 'argv', [str(tool), *map(str, arguments)])
        runpy.run_path(str(tool), run_name='__main__')
    found = [json.loads((out / 'preds' / f'{image.stem}.json').read_text()) for image in images]
    assert all(len(one['scores']) == 9 for one in found)
    return found


@pytest.fixture(scope='module')
def loaded(detector: tuple[Path, Path]) -> PartPredictor:
    config, checkpoint = map(str, detector)
    return PartPredictor(Path(), 3, dict(config_path=config, checkpoint=checkpoint, device='cpu'))


@pytest.fixture
def predictor(loaded: PartPredictor, tmp_path: Path) -> PartPredictor:
    loaded.out_dir = tmp_path / 'out'
    loaded.out_dir.mkdir()
    return loaded


def rows(out: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(out.glob('*.parquet')) for row in parquet.read_table(path).to_pylist()]


def test_paths_and_contents_give_what_infer_gives(
    predictor: PartPredictor, images: list[Path], expected: list[dict], tmp_path: Path
) -> None:
    # A multiple of the batch size: the last digits depend on what else is in a batch.
    for part in find_parts(images[0].parent, 'image', 3):
        assert predictor(vars(part)) == DONE
    names = [str(image) for image in images]
    assert rows(predictor.out_dir) == [{'image': n, **e, 'error': None} for n, e in zip(names, expected)]
    assert sorted(path.name for path in predictor.out_dir.iterdir()) == [f'part-{i:06d}.parquet' for i in range(3)]

    stored = tmp_path / 'stored.parquet'
    parquet.write_table(pyarrow.table({'jpeg': [image.read_bytes() for image in images]}), stored)
    (part,) = find_parts(stored, 'jpeg', 9)
    assert predictor(vars(part)) == DONE
    names = [f'{stored}:{row}' for row in range(7)]
    written = predictor.out_dir / 'part-000000.parquet'
    found = parquet.read_table(written)
    assert found.to_pylist() == [{'image': n, **e, 'error': None} for n, e in zip(names, expected)]
    assert json.loads(found.schema.metadata[b'classes']) == list(CLASSES)


def test_an_image_that_cannot_be_read_is_a_row_with_an_error(
    predictor: PartPredictor, images: list[Path], expected: list[dict], tmp_path: Path
) -> None:
    broken, cut = tmp_path / 'broken.jpg', tmp_path / 'cut.jpg'
    broken.write_bytes(b'<html>')
    cut.write_bytes(images[0].read_bytes()[:-50])
    places = [images[0], broken, images[1], tmp_path / 'none.jpg', cut, tmp_path]
    (tmp_path / 'list.txt').write_text('\n'.join(map(str, places)))
    (part,) = find_parts(tmp_path / 'list.txt', 'image', 99)
    assert predictor(vars(part)) == DONE
    found = rows(predictor.out_dir)
    assert [row['image'] for row in found] == [str(place) for place in places]
    assert [row['error'] and row['error'].partition(': expected ')[0] for row in found] == [
        None,
        f'{broken}: 6 bytes that are no image',
        None,
        f'{tmp_path}/none.jpg: No such file or directory',
        f'{cut}: JPEG cut short after {cut.stat().st_size} bytes',
        f'{tmp_path}: Is a directory',
    ]
    for row, found_by_infer in zip((found[0], found[2]), expected):
        assert row['labels'] == found_by_infer['labels']
        np.testing.assert_allclose(row['bboxes'], found_by_infer['bboxes'], rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(row['scores'], found_by_infer['scores'], rtol=1e-5)
    assert all(row[key] is None for row in found if row['error'] for key in ('bboxes', 'scores', 'labels'))


def test_a_part_that_kills_its_workers_is_left_out(predictor: PartPredictor, images: list[Path]) -> None:
    first, second = find_parts(images[0].parent, 'image', 4)
    (predictor.out_dir / '.part-000000.parquet.tries').write_text('x' * MAX_TRIES)
    (predictor.out_dir / '.part-000001.parquet.tries').write_text('x' * (MAX_TRIES - 1))
    assert predictor(vars(first)) == predictor(vars(second)) == DONE
    assert [path.name for path in predictor.out_dir.glob('*.parquet')] == ['part-000001.parquet']


def test_a_part_that_cannot_be_written_is_one_line(
    predictor: PartPredictor, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(table: Any, file: Any) -> None:
        file.write(b'PAR1')
        raise OSError(28, 'No space left on device')

    (part,) = find_parts(images[0].parent, 'image', 99)
    monkeypatch.setattr(parquet, 'write_table', full)
    path = predictor.out_dir / 'part-000000.parquet'
    line = f'{path}: No space left on device, expected a folder with room to write in'
    assert predictor(vars(part)) == {'failure': line}
    assert not list(predictor.out_dir.glob('*part-000000.parquet-*'))
    assert not path.exists()


def test_a_model_that_cannot_be_built_is_one_line(
    images: list[Path], detector: tuple[Path, Path], tmp_path: Path
) -> None:
    (part,) = find_parts(images[0].parent, 'image', 99)
    build = dict(config_path=str(detector[0]), checkpoint=f'{tmp_path}/none.pth', device='cpu')
    assert PartPredictor(tmp_path, 3, build)(vars(part)) == {
        'failure': f'load_from: {tmp_path}/none.pth does not exist, expected a checkpoint file'
    }
