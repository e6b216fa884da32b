import json
import os
from pathlib import Path
from typing import Any, Optional

import pytest
from mmdet.datasets import CocoDataset, ConcatDataset, XMLDataset
from mmengine.dataset import RepeatDataset

from ssd_plugin.datasets.annotation_report import AnnotationReport, scan
from ssd_plugin.datasets.transforms.filtering import NO_AREA, NOT_FINITE, OUTSIDE
from ssd_plugin.errors import UserError

BCCD = Path(os.environ.get('BCCD_ROOT', '../shared/data/BCCD'))
CLASSES = ('cat', 'dog')


def write_xml(root: Path, image_id: str, objects: list[tuple]) -> None:
    folder = root / 'Annotations'
    folder.mkdir(exist_ok=True)
    rows = [
        f'<object><name>{name}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>'
        '</bndbox></object>'
        for name, x1, y1, x2, y2 in objects
    ]
    size = '<size><width>100</width><height>50</height></size>'
    (folder / f'{image_id}.xml').write_text(f'<annotation>{size}{"".join(rows)}</annotation>')
    with (root / 'list.txt').open('a') as file:
        file.write(f'{image_id}\n')


def voc(root: Path, **settings: Any) -> XMLDataset:
    return XMLDataset(
        data_root=str(root),
        ann_file='list.txt',
        data_prefix={'sub_data_root': ''},
        metainfo={'classes': CLASSES},
        pipeline=[],
        **settings,
    )


def coco(root: Path, annotations: list[tuple], categories: tuple = CLASSES, **settings: Any) -> CocoDataset:
    """annotations: (image, category, bbox)"""
    content = {
        'images': [{'id': i, 'file_name': f'{i}.jpg', 'width': 100, 'height': 50} for i in range(3)],
        'categories': [{'id': 10 + i, 'name': name} for i, name in enumerate(categories)],
        'annotations': [
            {'id': i, 'image_id': image, 'category_id': category, 'bbox': box, 'area': 1.0, 'iscrowd': 0}
            for i, (image, category, box) in enumerate(annotations)
        ],
    }
    (root / 'ann.json').write_text(json.dumps(content))
    return CocoDataset(
        data_root=str(root),
        ann_file='ann.json',
        data_prefix={'img': ''},
        metainfo={'classes': CLASSES},
        pipeline=[],
        **settings,
    )


def test_unusable_boxes_of_xml_files_are_counted(tmp_path: Path) -> None:
    write_xml(tmp_path, 'a', [('cat', 11, 11, 20, 20), ('dog', 5, 5, 5, 9), ('dog', 5, 5, 9, 5)])
    write_xml(tmp_path, 'b', [('cat', 101, 1, 120, 20)])
    write_xml(tmp_path, 'c', [('cat', 1, 1, 100, 50)])
    report = scan(voc(tmp_path))
    assert report == AnnotationReport(3, 5, {NO_AREA: 2, OUTSIDE: 1}, ('Annotations/a.xml', 'Annotations/b.xml'))
    assert report.line() == (
        '3 boxes of 2 images are unusable and left out (zero or negative width or height: 2, wholly outside the '
        'image: 1): Annotations/a.xml, Annotations/b.xml'
    )


def test_unusable_boxes_of_a_coco_file_are_counted_though_mmdet_drops_them(tmp_path: Path) -> None:
    boxes = [(0, 10, [1, 1, 9, 9]), (0, 11, [1, 1, 0, 9]), (1, 11, [1, 1, float('nan'), 9]), (2, 10, [0, 60, 5, 5])]
    report = scan(coco(tmp_path, boxes))
    assert report == AnnotationReport(3, 4, {NOT_FINITE: 1, NO_AREA: 1, OUTSIDE: 1}, ('0.jpg', '1.jpg', '2.jpg'))


def test_no_objects_and_no_complaint(tmp_path: Path) -> None:
    write_xml(tmp_path, 'a', [])
    for dataset in (voc(tmp_path), coco(tmp_path, [])):
        report = scan(dataset)
        assert (report.boxes, report.unusable, report.files, report.line()) == (0, {}, (), None)


@pytest.mark.parametrize(
    ('files', 'start', 'end'),
    [
        (1, '1 box of 1 image is unusable', ': 0.xml'),
        (3, '3 boxes of 3 images are unusable', ': 0.xml, 1.xml, 2.xml'),
        (4, '4 boxes of 4 images are unusable', ': 0.xml, 1.xml, 2.xml, ...'),
    ],
)
def test_three_files_are_named(files: int, start: str, end: str) -> None:
    line = AnnotationReport(9, 9, {NO_AREA: files}, tuple(f'{i}.xml' for i in range(files))).line()
    assert line is not None
    assert line.startswith(start)
    assert line.endswith(end)
    assert '\n' not in line


def test_wrappers_are_looked_into(tmp_path: Path) -> None:
    parts = []
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        write_xml(tmp_path / name, name, [('cat', 5, 5, 5, 9), ('cat', 5, 5, 9, 9)])
        parts.append(voc(tmp_path / name))
    assert scan(RepeatDataset(parts[0], times=3)) == AnnotationReport(1, 2, {NO_AREA: 1}, ('Annotations/one.xml',))
    assert scan(ConcatDataset(parts)) == AnnotationReport(
        2, 4, {NO_AREA: 2}, ('Annotations/one.xml', 'Annotations/two.xml')
    )


@pytest.mark.parametrize('filter_cfg', [None, {'filter_empty_gt': True}])
def test_another_class_in_an_xml_file_raises(filter_cfg: Optional[dict], tmp_path: Path) -> None:
    write_xml(tmp_path, 'a', [('cat', 1, 1, 20, 20)])
    write_xml(tmp_path, 'b', [('bird', 5, 5, 5, 9)])
    dataset = voc(tmp_path, filter_cfg=filter_cfg)
    with pytest.raises(UserError) as caught:
        scan(dataset)
    path = tmp_path / 'Annotations' / 'b.xml'
    assert str(caught.value) == (
        f"{path}: holds an object of class 'bird', expected one of (cat, dog); list it in metainfo.classes of the data "
        'set, or set allow_other_classes=True to leave such objects out'
    )
    assert scan(dataset, allow_other_classes=True).boxes == 1


def test_another_class_in_a_coco_file_raises_if_it_has_objects(tmp_path: Path) -> None:
    categories = ('cat', 'bird', 'dog')
    assert scan(coco(tmp_path, [(0, 10, [1, 1, 9, 9])], categories)).boxes == 1
    dataset = coco(tmp_path, [(0, 10, [1, 1, 9, 9]), (0, 11, [1, 1, 9, 9])], categories)
    with pytest.raises(UserError, match=r"ann\.json: holds an object of class 'bird', expected one of \(cat, dog\)"):
        scan(dataset)
    assert scan(dataset, allow_other_classes=True).boxes == 1


@pytest.mark.parametrize(('categories', 'shown'), [(('dog', 'cat'), r'\(dog, cat\)'), (('dog',), r'\(dog\)')])
def test_categories_that_do_not_match_the_labels_raise(categories: tuple, shown: str, tmp_path: Path) -> None:
    dataset = coco(tmp_path, [(0, 10, [1, 1, 9, 9])], categories)
    with pytest.raises(UserError, match=rf'ann\.json: its categories are {shown}, expected .* \(cat, dog\)$'):
        scan(dataset)


@pytest.mark.skipif(not BCCD.is_dir(), reason=f'no BCCD data set at {BCCD}: set BCCD_ROOT')
def test_bccd_holds_two_boxes_of_no_area() -> None:
    dataset = XMLDataset(
        data_root=str(BCCD),
        ann_file='ImageSets/Main/trainval.txt',
        data_prefix={'sub_data_root': ''},
        metainfo={'classes': ('RBC', 'WBC', 'Platelets')},
        pipeline=[],
    )
    report = scan(dataset)
    assert report.unusable == {NO_AREA: 2}
    assert report.files == ('Annotations/BloodImage_00338.xml', 'Annotations/BloodImage_00343.xml')
    with pytest.raises(UserError, match=r"\.xml: holds an object of class 'Platelets', expected one of \(RBC, WBC\)"):
        scan(
            XMLDataset(
                data_root=str(BCCD),
                ann_file='ImageSets/Main/trainval.txt',
                data_prefix={'sub_data_root': ''},
                metainfo={'classes': ('RBC', 'WBC')},
                pipeline=[],
            )
        )
