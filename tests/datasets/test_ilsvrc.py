import json

from mmdet.registry import DATASETS

from ssd_plugin.datasets import ILSVRCDetDataset
from ssd_plugin.datasets.preparation.synsets import SYNSETS


def test_the_200_classes():
    classes = ILSVRCDetDataset.METAINFO['classes']
    assert (len(classes), classes[0], classes[123], classes[-1]) == (200, 'accordion', 'person', 'zebra')


def test_labels_follow_the_categories(tmp_path):
    classes = ILSVRCDetDataset.METAINFO['classes']
    found = dict(id=1, image_id=7, category_id=SYNSETS['n02084071'], bbox=[1, 2, 10, 20], area=200, iscrowd=0)
    content = dict(
        images=[dict(id=7, file_name='train/a.JPEG', width=50, height=40)],
        annotations=[found],
        categories=[dict(id=number, name=name) for number, name in enumerate(classes, start=1)],
    )
    (tmp_path / 'det.json').write_text(json.dumps(content))
    dataset = DATASETS.build(
        dict(
            type='ssd_plugin.ILSVRCDetDataset',
            data_root=str(tmp_path),
            ann_file='det.json',
            data_prefix=dict(img='Data/DET/'),
            pipeline=[],
        )
    )
    info = dataset.get_data_info(0)
    assert info['img_path'] == str(tmp_path / 'Data/DET/train/a.JPEG')
    assert [(classes[one['bbox_label']], one['bbox']) for one in info['instances']] == [('dog', [1, 2, 11, 22])]
