import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmdet.datasets import CocoDataset, XMLDataset
from pycocotools.coco import COCO

from ssd_plugin.datasets.shapes import make_shapes as module
from ssd_plugin.datasets.shapes.make_shapes import ShapesParameters, make_shapes
from ssd_plugin.datasets.shapes.scene import CLASSES
from ssd_plugin.errors import UserError

PARAMETERS = ShapesParameters(images=100, width=160, height=120, seed=0)
FEW = ShapesParameters(images=6, width=96, height=72, seed=5)


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('shapes') / 'shapes'
    assert make_shapes(out, PARAMETERS)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def coco_dataset(root: Path, part: str) -> CocoDataset:
    return CocoDataset(
        data_root=str(root),
        ann_file=f'annotations/{part}.json',
        data_prefix={'img': 'JPEGImages/'},
        metainfo={'classes': CLASSES},
    )


def voc_dataset(root: Path, part: str) -> XMLDataset:
    return XMLDataset(
        data_root=str(root),
        ann_file=f'ImageSets/Main/{part}.txt',
        data_prefix={'sub_data_root': ''},
        metainfo={'classes': CLASSES},
    )


def test_files(root: Path) -> None:
    names = {path.name for path in root.iterdir()}
    assert names == {'JPEGImages', 'Annotations', 'ImageSets', 'annotations', 'parameters.json'}
    assert len(list((root / 'JPEGImages').iterdir())) == 100
    assert len(list((root / 'Annotations').iterdir())) == 100
    assert (root / 'ImageSets/Main/train.txt').read_text().split()[:2] == ['000000', '000001']
    assert cv2.imread(str(root / 'JPEGImages/000099.jpg')).shape == (120, 160, 3)
    assert [path.name for path in root.parent.iterdir()] == ['shapes']


def test_same_seed_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    make_shapes(tmp_path / 'one', FEW, workers=1)
    make_shapes(tmp_path / 'two', FEW, workers=2)
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')


def test_another_seed_draws_other_images(tmp_path: Path) -> None:
    for seed in (1, 2):
        make_shapes(tmp_path / str(seed), ShapesParameters(images=2, width=96, height=72, seed=seed))
    images = [(tmp_path / str(seed) / 'JPEGImages/000000.jpg').read_bytes() for seed in (1, 2)]
    assert images[0] != images[1]


def test_more_images_keep_the_first_ones(root: Path, tmp_path: Path) -> None:
    make_shapes(tmp_path / 'few', ShapesParameters(images=3, width=160, height=120, seed=0))
    for name in ('000000.jpg', '000002.jpg'):
        assert (tmp_path / 'few/JPEGImages' / name).read_bytes() == (root / 'JPEGImages' / name).read_bytes()


@pytest.mark.parametrize(('part', 'count'), [('train', 80), ('val', 20)])
def test_mmdet_reads_the_same_from_both_annotations(root: Path, part: str, count: int) -> None:
    coco, voc = coco_dataset(root, part), voc_dataset(root, part)
    assert len(coco) == len(voc) == count
    for index in range(count):
        from_coco, from_voc = coco.get_data_info(index), voc.get_data_info(index)
        assert Path(from_coco['img_path']) == Path(from_voc['img_path'])
        assert (from_coco['width'], from_coco['height']) == (from_voc['width'], from_voc['height']) == (160, 120)
        assert from_coco['instances'] == from_voc['instances']


def test_parts_do_not_share_images(root: Path) -> None:
    train, val = (set((root / f'ImageSets/Main/{part}.txt').read_text().split()) for part in ('train', 'val'))
    assert not train & val


def test_pycocotools_reads_it(root: Path) -> None:
    coco = COCO(str(root / 'annotations/train.json'))
    assert [category['name'] for category in coco.loadCats(coco.getCatIds())] == list(CLASSES)
    assert len(coco.getImgIds()) == 80
    assert min(coco.getAnnIds()) == 1


def test_what_is_in_it(root: Path) -> None:
    """Every class is common, some images are empty, scales spread from small to large."""
    objects: list[Any] = []
    counts = []
    for part in ('train', 'val'):
        found = json.loads((root / f'annotations/{part}.json').read_text())
        objects += found['annotations']
        per_image = Counter(annotation['image_id'] for annotation in found['annotations'])
        counts += [per_image[image['id']] for image in found['images']]
    histogram = Counter(annotation['category_id'] for annotation in objects)
    assert sorted(histogram) == [1, 2, 3, 4, 5, 6]
    assert min(histogram.values()) >= 0.1 * len(objects)
    assert 1 <= counts.count(0) <= 12
    assert max(counts) <= 8
    assert 2.5 <= np.mean(counts) <= 4
    scales = np.sqrt([annotation['area'] / (160 * 120) for annotation in objects])
    assert scales.min() >= 0.05
    assert scales.max() <= 0.8
    assert np.mean(scales < 0.15) >= 0.05
    assert np.mean(scales > 0.5) >= 0.05


def test_the_same_data_set_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / 'shapes'
    assert make_shapes(out, FEW)
    (out / 'JPEGImages/000000.jpg').write_bytes(b'mark')
    assert not make_shapes(out, FEW)
    assert (out / 'JPEGImages/000000.jpg').read_bytes() == b'mark'


def test_another_data_set_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / 'shapes'
    make_shapes(out, FEW)
    with pytest.raises(UserError, match=r'shapes holds shapes made with images=6 instead of 7, seed=5 instead of 6'):
        make_shapes(out, ShapesParameters(images=7, width=96, height=72, seed=6))


def test_a_foreign_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / 'thesis.tex').write_text('x')
    with pytest.raises(UserError, match='not a data set of shapes'):
        make_shapes(tmp_path, FEW)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    out = tmp_path / 'empty'
    out.mkdir()
    assert make_shapes(out, FEW)
    assert (out / 'parameters.json').is_file()


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError('disk full')

    monkeypatch.setattr(module, 'coco_content', fail)
    with pytest.raises(OSError, match='disk full'):
        make_shapes(tmp_path / 'shapes', FEW)
    assert list(tmp_path.iterdir()) == []


def test_progress_sees_every_record(tmp_path: Path) -> None:
    seen = []

    def note(records: Any, total: int) -> Any:
        for record in records:
            seen.append((record.index, total))
            yield record

    make_shapes(tmp_path / 'shapes', FEW, progress=note)
    assert seen == [(index, 6) for index in range(6)]


@pytest.mark.parametrize(
    ('bad', 'line'),
    [
        ({'images': 0}, '--images is 0, expected 1 to 999999'),
        ({'width': 20}, '--size is 20x240, expected sides of 64 to 4096 pixels'),
        ({'seed': -1}, '--seed is -1, expected 0 or more'),
        ({'val_fraction': 1.0}, '--val-fraction is 1, expected 0 or more and less than 1'),
    ],
)
def test_bad_parameters(bad: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        ShapesParameters(**bad)


def test_bad_workers(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='--workers is 0, expected 1 or more'):
        make_shapes(tmp_path / 'shapes', FEW, workers=0)
