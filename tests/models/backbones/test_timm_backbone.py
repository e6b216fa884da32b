import sys
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from ssd_plugin.errors import UserError

ROOT = Path(__file__).parents[3]


def detector(**backbone):
    config = Config.fromfile(ROOT / 'configs' / '_base_' / 'models' / 'ssd300_r18.py').model
    config.backbone = dict(type='ssd_plugin.TimmBackbone', **backbone)
    return MODELS.build(config)


@pytest.fixture
def timm():
    return pytest.importorskip('timm', reason='timm is not installed')


def test_without_timm_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(UserError, match=r'TimmBackbone needs timm, expected it: pip install timm$'):
        detector(model_name='resnet18')


def test_a_trunk_by_its_name_is_measured(timm):
    built = detector(model_name='mobilenetv3_small_050')
    assert built.map_sizes == [(38, 38), (19, 19), (10, 10), (5, 5), (3, 3), (1, 1)]
    assert [shape.channels for shape in built.feature_shapes][:3] == [16, 24, 288]


def test_channels_that_come_last_are_put_first(timm):
    trunk = MODELS.build(
        dict(type='ssd_plugin.TimmBackbone', model_name='swin_tiny_patch4_window7_224', img_size=64, out_indices=(1, 2))
    )
    assert [tuple(level.shape) for level in trunk(torch.zeros(1, 3, 64, 64))] == [(1, 192, 8, 8), (1, 384, 4, 4)]


def test_an_unknown_name_has_its_neighbours_named(timm):
    with pytest.raises(UserError, match=r"^backbone.model_name: 'resnet81' is no trunk of timm .*'resnet18'"):
        detector(model_name='resnet81')


def test_weights_come_from_the_folder(timm, tmp_path, monkeypatch):
    monkeypatch.setenv('SSD_PRETRAINED_DIR', str(tmp_path))
    settings = dict(type='ssd_plugin.TimmBackbone', model_name='resnet18', out_indices=(1,), pretrained=True)
    with pytest.raises(UserError, match=r'SSD_PRETRAINED_DIR is set, and \S+resnet18.a1_in1k.safetensors does not'):
        MODELS.build(settings)
    from safetensors.torch import save_file

    saved = timm.create_model('resnet18')
    save_file(saved.state_dict(), tmp_path / 'resnet18.a1_in1k.safetensors')
    assert torch.equal(MODELS.build(settings).trunk.conv1.weight, saved.conv1.weight)


def test_a_trunk_without_weights_is_not_asked_for_them(timm):
    name = min(set(timm.list_models()) - {known.partition('.')[0] for known in timm.list_pretrained()})
    with pytest.raises(UserError, match=rf'^backbone.pretrained: timm has no weights of {name}, expected False$'):
        detector(model_name=name, pretrained=True)
