import numpy as np
import pytest
from dirty_data import BOX, XML, config_of, edit_json, write_data

from ssd_plugin.analysis.training_boxes import build_detector, training_boxes
from ssd_plugin.errors import UserError


def read(config):
    return training_boxes(config, (300, 300), lambda steps, *_: steps)


@pytest.mark.parametrize(('layout', 'corners'), [('voc', (2, 3, 19, 24)), ('coco', (3, 4, 20, 25))])
def test_boxes_are_in_pixels_of_the_input(layout, corners, tmp_path, capsys):
    write_data(tmp_path)
    found = read(config_of(tmp_path, layout))
    labels = {'voc': [0, 1, 0, 1], 'coco': [0, 0]}[layout]
    # 40 x 30 pixels become 300 x 300; the data set is repeated for training, and read once.
    np.testing.assert_allclose(found.boxes, [np.multiply(corners, (7.5, 10, 7.5, 10))] * len(labels))
    assert found.labels.tolist() == labels
    assert found.image_ids.tolist() == sorted([0, 1] * (len(labels) // 2))
    assert [path.name for path in found.paths] == ['a.jpg', 'b.jpg']
    assert found.classes == ('cat', 'dog')
    assert capsys.readouterr().out == ''


def test_what_training_leaves_out_is_left_out(tmp_path):
    write_data(tmp_path)
    thin = BOX.replace('<xmax>20<', '<xmax>3<')
    difficult = f'<object><name>cat</name><difficult>1</difficult>{BOX}</object>'
    (tmp_path / 'Annotations/a.xml').write_text(
        XML.replace(BOX, thin, 1).replace('</annotation>', f'{difficult}</annotation>')
    )
    (tmp_path / 'Annotations/b.xml').write_text('<annotation/>')
    config = config_of(tmp_path, 'voc')
    assert read(config).labels.tolist() == [1]
    config.train_dataloader.dataset.dataset.pipeline = [dict(type='ssd_plugin.SSDFilterBoxes', use_difficult_gt=True)]
    assert read(config).labels.tolist() == [1, 0]


def test_repaired_annotations_are_read_and_the_original_stays(tmp_path):
    write_data(tmp_path)
    edit_json(tmp_path / 'train.json', lambda content: content['annotations'][0].update(bbox=[float('nan'), 1, 2, 3]))
    before = (tmp_path / 'train.json').read_bytes()
    config = config_of(tmp_path, 'coco')
    assert read(config).image_ids.tolist() == [1]
    assert (tmp_path / 'train.json').read_bytes() == before
    assert config.train_dataloader.dataset.dataset.ann_file == 'train.json'


def test_no_objects_and_no_files_are_refused(tmp_path):
    write_data(tmp_path)
    edit_json(tmp_path / 'train.json', lambda content: content.update(annotations=[]))
    with pytest.raises(UserError, match='no object of its classes'):
        read(config_of(tmp_path, 'coco'))
    with pytest.raises(UserError, match='none does not exist, expected a folder'):
        read(config_of(tmp_path / 'none', 'coco'))


def test_ignored_objects_alone_are_nothing_to_measure(tmp_path):
    write_data(tmp_path)
    for name in 'ab':
        objects = f'<object><name>cat</name><difficult>1</difficult>{BOX}</object>'
        (tmp_path / f'Annotations/{name}.xml').write_text(f'<annotation>{objects}</annotation>')
    with pytest.raises(UserError, match='no gt box to measure'):
        read(config_of(tmp_path, 'voc'))


def test_a_detector_without_default_boxes_is_refused(tmp_path):
    config = config_of(tmp_path, 'coco')
    config.model = dict(type='BaseDetectorOfNobody')
    with pytest.raises(UserError, match='is not registered'):
        build_detector(config)
