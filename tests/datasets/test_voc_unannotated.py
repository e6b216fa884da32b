import pytest
from mmdet.registry import DATASETS
from PIL import Image

from ssd_plugin.errors import UserError


@pytest.fixture
def root(tmp_path):
    """Two images and a list of them, without annotations."""
    for folder in ('VOC2012/JPEGImages', 'VOC2012/ImageSets/Main'):
        (tmp_path / folder).mkdir(parents=True)
    for name, size in (('2008_000001', (50, 30)), ('2008_000004', (20, 40))):
        Image.new('RGB', size).save(tmp_path / f'VOC2012/JPEGImages/{name}.jpg')
    (tmp_path / 'VOC2012/ImageSets/Main/test.txt').write_text('2008_000004\n2008_000001 \n\n')
    return tmp_path


def build(root, **settings):
    config = dict(
        type='ssd_plugin.VOCTestDataset',
        data_root=str(root),
        ann_file='VOC2012/ImageSets/Main/test.txt',
        data_prefix=dict(sub_data_root='VOC2012/'),
        pipeline=[],
        test_mode=True,
    )
    return DATASETS.build({**config, **settings})


def test_images_of_the_list_with_their_sizes(root):
    dataset = build(root)
    found = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [(info['img_id'], info['width'], info['height']) for info in found] == [
        ('2008_000004', 20, 40),
        ('2008_000001', 50, 30),
    ]
    assert found[0]['img_path'] == str(root / 'VOC2012/JPEGImages/2008_000004.jpg')
    assert [info['instances'] for info in found] == [[], []]
    assert len(dataset.metainfo['classes']) == 20


def test_empty_list(root):
    (root / 'VOC2012/ImageSets/Main/test.txt').write_text('')
    assert build(root, lazy_init=True).load_data_list() == []


def test_missing_image(root):
    (root / 'VOC2012/JPEGImages/2008_000001.jpg').unlink()
    with pytest.raises(UserError, match=r"2008_000001\.jpg: no such file, expected an image for '2008_000001' of "):
        build(root)


def test_file_that_is_no_image(root):
    (root / 'VOC2012/JPEGImages/2008_000001.jpg').write_bytes(b'text')
    with pytest.raises(UserError, match=r'2008_000001\.jpg: not decodable, expected an image that OpenCV reads'):
        build(root)
