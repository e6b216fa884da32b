from mmengine.config import Config

from ssd_plugin.analysis.anchor_config import variant_config
from ssd_plugin.shipped_configs import configs_folder

SETTINGS = {'min_sizes': [21, [30, 60]], 'max_sizes': [60, [111, None]], 'ratios': [[1.3], [[2], [2, 3]]]}


def test_a_variant_of_a_shipped_config_and_of_the_variant(tmp_path):
    first, second = tmp_path / 'first.py', tmp_path / 'folder' / 'second.py'
    second.parent.mkdir()
    shipped = configs_folder() / 'shapes' / 'ssd300_r18_shapes.py'
    first.write_text(variant_config(shipped, first, SETTINGS, (0.5, 0.75)))
    second.write_text(variant_config(first, second, {**SETTINGS, 'min_sizes': [1, [2, 3]]}, (0.75, 0.8)))
    assert 'recall of gt boxes 0.500 -> 0.750' in first.read_text()
    assert "_base_ = 'ssd_plugin::shapes/ssd300_r18_shapes.py'\n" in first.read_text()
    assert "_base_ = '../first.py'\n" in second.read_text()
    assert len(first.read_text().splitlines()) <= 8
    for path, sizes in ((first, [21, [30, 60]]), (second, [1, [2, 3]])):
        generator = Config.fromfile(path).model.bbox_head.anchor_generator
        assert generator.type == 'ssd_plugin.SSDAnchorGenerator'
        assert generator.min_sizes == sizes
        assert (generator.max_sizes, generator.ratios) == (SETTINGS['max_sizes'], SETTINGS['ratios'])
