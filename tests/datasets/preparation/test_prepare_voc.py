import pytest

from ssd_plugin.datasets.preparation import prepare_voc
from ssd_plugin.errors import UserError

SETS = {(2007, 'trainval'): 3, (2007, 'test'): 2, (2012, 'trainval'): 4, (2012, 'val'): 2, (2012, 'test'): 2}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """VOCdevkit with the layout of the archives and a few empty files."""

    def small(part):
        return part._replace(images=SETS[part.year, part.name])

    monkeypatch.setattr(prepare_voc, 'NEEDED', tuple(map(small, prepare_voc.NEEDED)))
    monkeypatch.setattr(prepare_voc, 'VAL_2012', small(prepare_voc.VAL_2012))
    monkeypatch.setattr(prepare_voc, 'TEST_2012', small(prepare_voc.TEST_2012))
    for (year, name), images in SETS.items():
        folder = tmp_path / f'VOC{year}'
        for part in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
            (folder / part).mkdir(parents=True, exist_ok=True)
        listed = [f'{name[:5]}_{number}' for number in range(images)]
        (folder / 'ImageSets/Main' / f'{name}.txt').write_text('\n'.join(listed) + '\n')
        for stem in listed:
            (folder / 'JPEGImages' / f'{stem}.jpg').touch()
            if (year, name) != (2012, 'test'):
                (folder / 'Annotations' / f'{stem}.xml').touch()
    return tmp_path


def test_published_numbers():
    parts = (*prepare_voc.NEEDED, prepare_voc.VAL_2012, prepare_voc.TEST_2012)
    assert {str(part): part.images for part in parts} == {
        'VOC2007 trainval': 5011,
        'VOC2007 test': 4952,
        'VOC2012 trainval': 11540,
        'VOC2012 val': 5823,
        'VOC2012 test': 10991,
    }


def test_whole(root, progress):
    assert prepare_voc.prepare_voc(root, progress) == [
        'VOC2007 trainval: 3 images',
        'VOC2007 test: 2 images',
        'VOC2012 trainval: 4 images',
        'VOC2012 val: 2 images',
        'VOC2012 test: 2 images',
    ]
    assert progress.shown == [('checking VOC', 4)]


def test_voc2012_test_may_be_missing(root, progress):
    (root / 'VOC2012/ImageSets/Main/test.txt').unlink()
    line = prepare_voc.prepare_voc(root, progress)[-1]
    assert line.startswith('not there, and used by the configs voc0712pp alone: ')
    assert line.endswith('expected a file from http://host.robots.ox.ac.uk:8080/ (an account is needed)')


@pytest.mark.parametrize(
    ('place', 'message'),
    [
        (
            'VOC2007/ImageSets/Main/test.txt',
            r'test\.txt does not exist, expected a file from .*VOCtest_06-Nov-2007\.tar',
        ),
        ('VOC2007/JPEGImages/test_1.jpg', r'JPEGImages: 1 files are missing \(test_1\.jpg\), expected them from http'),
        ('VOC2012/Annotations/train_0.xml', r'Annotations: 1 files are missing \(train_0\.xml\), expected them from'),
    ],
)
def test_what_is_missing_is_named(root, progress, place, message):
    (root / place).unlink()
    with pytest.raises(UserError, match=message):
        prepare_voc.prepare_voc(root, progress)


def test_list_cut_short(root, progress):
    (root / 'VOC2007/ImageSets/Main/trainval.txt').write_text('train_0\n')
    with pytest.raises(UserError, match=r'trainval\.txt: 1 images, expected 3; is the archive whole\?'):
        prepare_voc.prepare_voc(root, progress)


def test_no_folder(tmp_path, progress):
    with pytest.raises(UserError, match=r'none does not exist, expected a folder from http://host'):
        prepare_voc.prepare_voc(tmp_path / 'none', progress)
