import json

import pytest

from ssd_plugin.datasets import ILSVRCDetDataset
from ssd_plugin.datasets.preparation import prepare_ilsvrc
from ssd_plugin.errors import UserError

DOG, PERSON = 'n02084071', 'n00007846'


def xml(*objects):
    found = ''.join(
        f'<object><name>{name}</name><bndbox><xmin>{x1}</xmin><xmax>{x2}</xmax><ymin>{y1}</ymin><ymax>{y2}</ymax>'
        '</bndbox></object>'
        for name, x1, y1, x2, y2 in objects
    )
    return f'<annotation><size><width>50</width><height>40</height></size>{found}</annotation>'


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Three images to train on, one of them negative, and one to test on."""
    monkeypatch.setattr(prepare_ilsvrc, 'VAL2_IMAGES', 1)
    files = {
        'ImageSets/DET/train.txt': 'ILSVRC2014_train_0006/a 1\nILSVRC2013_train_extra0/negative 2\n',
        'ImageSets/DET/val1.txt': 'ILSVRC2012_val_00000001 1\n',
        'ImageSets/DET/val2.txt': 'ILSVRC2013_val_00000002 1\n',
        'Annotations/DET/train/ILSVRC2014_train_0006/a.xml': xml((DOG, 1, 2, 11, 22), (PERSON, 0, 0, 50, 40)),
        'Annotations/DET/val/ILSVRC2012_val_00000001.xml': xml((DOG, 5, 6, 7, 8)),
        'Annotations/DET/val/ILSVRC2013_val_00000002.xml': xml(),
        'Data/DET/train/ILSVRC2014_train_0006/a.JPEG': '',
        'Data/DET/val/ILSVRC2012_val_00000001.JPEG': '',
        'Data/DET/val/ILSVRC2013_val_00000002.JPEG': '',
    }
    for place, text in files.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    return tmp_path


def test_published_number():
    assert prepare_ilsvrc.VAL2_IMAGES == 9917


def test_files_by_hand(root, progress):
    lines = prepare_ilsvrc.prepare_ilsvrc(root, progress)
    assert [line.rpartition('/')[2] for line in lines] == [
        'det_trainval1.json: 2 images, 3 objects',
        'det_val2.json: 1 images, 0 objects',
    ]
    content = json.loads((root / 'annotations/det_trainval1.json').read_text())
    assert content['images'] == [
        dict(id=1, file_name='train/ILSVRC2014_train_0006/a.JPEG', width=50, height=40),
        dict(id=2, file_name='val/ILSVRC2012_val_00000001.JPEG', width=50, height=40),
    ]
    assert content['annotations'] == [
        dict(id=1, image_id=1, category_id=58, bbox=[1, 2, 10, 20], area=200, iscrowd=0),
        dict(id=2, image_id=1, category_id=124, bbox=[0, 0, 50, 40], area=2000, iscrowd=0),
        dict(id=3, image_id=2, category_id=58, bbox=[5, 6, 2, 2], area=4, iscrowd=0),
    ]
    assert (content['categories'][57], len(content['categories'])) == (dict(id=58, name='dog'), 200)
    assert progress.shown == [('reading train and val1', 3), ('reading val2', 1)]


def test_the_data_set_reads_it(root, progress):
    prepare_ilsvrc.prepare_ilsvrc(root, progress)
    dataset = ILSVRCDetDataset(
        data_root=str(root), ann_file='annotations/det_trainval1.json', data_prefix=dict(img='Data/DET/'), pipeline=[]
    )
    names = dataset.metainfo['classes']
    found = [[names[one['bbox_label']] for one in dataset.get_data_info(i)['instances']] for i in range(2)]
    assert found == [['dog', 'person'], ['dog']]


@pytest.mark.parametrize(
    ('place', 'message'),
    [
        ('ImageSets/DET/val1.txt', r'val1\.txt does not exist, expected a file from .*ILSVRC2015_DET_val1_val2'),
        ('ImageSets/DET/train.txt', r'train\.txt does not exist, expected a file from https://image-net\.org'),
        ('Annotations/DET/val/ILSVRC2013_val_00000002.xml', r'00000002\.xml does not exist, expected a file from'),
        ('Data/DET/train/ILSVRC2014_train_0006/a.JPEG', r'a\.JPEG does not exist, expected a file from'),
    ],
)
def test_what_is_missing_is_named(root, progress, place, message):
    (root / place).unlink()
    with pytest.raises(UserError, match=message):
        prepare_ilsvrc.prepare_ilsvrc(root, progress)
    assert not (root / 'annotations').exists()


def test_another_number_of_test_images(root, progress):
    (root / 'ImageSets/DET/val2.txt').write_text('')
    with pytest.raises(UserError, match=r'val2\.txt: 0 images, expected 1;'):
        prepare_ilsvrc.prepare_ilsvrc(root, progress)


def test_strange_name_in_a_list(root, progress):
    (root / 'ImageSets/DET/val1.txt').write_text('photograph\n')
    with pytest.raises(UserError, match=r"'photograph', expected a name such as ILSVRC2012_val_00000001"):
        prepare_ilsvrc.prepare_ilsvrc(root, progress)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('<annotation>', r'a\.xml: no annotation \('),
        ('<annotation/>', r'a\.xml: no annotation \(an entry is missing\)'),
        (xml((DOG, 'one', 2, 3, 4)), r'a\.xml: no annotation \(could not convert'),
        (xml((DOG, 1, 'nan', 3, 4)), r'a\.xml: no annotation \(corners \(1\.0, nan, 3\.0, 4\.0\)\)'),
        (xml(('dog', 1, 2, 3, 4)), r"a\.xml: object of 'dog', expected one of the 200 synsets"),
    ],
)
def test_bad_annotations(tmp_path, text, message):
    (tmp_path / 'a.xml').write_text(text)
    with pytest.raises(UserError, match=message):
        prepare_ilsvrc.read_annotation(tmp_path / 'a.xml')
