from ssd_plugin.datasets.shapes.annotations import ImageRecord, coco_content, voc_tree
from ssd_plugin.datasets.shapes.scene import ShapeObject


def test_voc_counts_pixels_from_one() -> None:
    record = ImageRecord(3, [ShapeObject(2, (0, 4, 19, 30), True)])
    tree = voc_tree(record, 96, 72).getroot()
    assert [tree.findtext(f'size/{tag}') for tag in ('width', 'height', 'depth')] == ['96', '72', '3']
    node = tree.find('object')
    assert node is not None
    assert [node.findtext(f'bndbox/{tag}') for tag in ('xmin', 'ymin', 'xmax', 'ymax')] == ['1', '5', '20', '31']
    assert (node.findtext('name'), node.findtext('truncated'), node.findtext('difficult')) == ('triangle', '1', '0')


def test_coco_counts_pixels_from_zero() -> None:
    record = ImageRecord(3, [ShapeObject(2, (0, 4, 19, 30), True)])
    content = coco_content([record], 96, 72)
    assert content['images'] == [{'id': 3, 'file_name': '000003.jpg', 'width': 96, 'height': 72}]
    annotation = content['annotations'][0]
    assert annotation['bbox'] == [0, 4, 19, 26]
    assert annotation['area'] == 494
    assert (annotation['id'], annotation['image_id'], annotation['category_id']) == (1, 3, 3)
