import pytest
from mmengine.config import Config

from ssd_plugin.cli.exported_file import is_exported, predict_with_file
from ssd_plugin.errors import UserError


def config_of(size: object) -> Config:
    dataset = dict(type='CocoDataset', metainfo=dict(classes=('cat', 'dog')))
    return Config(
        dict(
            default_scope='mmdet',
            model=dict(type='ssd_plugin.SSD', input_size=size),
            test_dataloader=dict(dataset=dataset),
            load_from='a.onnx',
        )
    )


def test_endings() -> None:
    assert all(map(is_exported, ('a.onnx', 'b/a.xml', 'a.torchscript', 'a.pt2')))
    assert not any(map(is_exported, ('a.pth', 'a.pt', 'a.ckpt', 'onnx')))


@pytest.mark.parametrize(('size', 'pair'), [(300, [300, 300]), ((400, 300), [400, 300])])
def test_the_file_takes_the_place_of_the_model(size: object, pair: list[int]) -> None:
    config = config_of(size)
    predict_with_file(config, 'a.onnx', {'--amp': False})
    assert config.model == dict(
        type='ssd_plugin.ExportedDetector', file='a.onnx', classes=('cat', 'dog'), input_size=pair
    )
    assert config.load_from is None


def test_options_that_change_a_network_are_refused() -> None:
    config = config_of(300)
    with pytest.raises(UserError, match=r'--amp: a\.onnx is an exported file, expected this option with a checkpoint'):
        predict_with_file(config, 'a.onnx', {'--fuse-conv-bn': False, '--amp': True})
    assert config.model.type == 'ssd_plugin.SSD'
