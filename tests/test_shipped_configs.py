"""A config of another project names a shipped one as its base."""

from pathlib import Path

import pytest
from mmengine.config import Config

from ssd_plugin import shipped_configs
from ssd_plugin.cli.config_file import load_config
from ssd_plugin.errors import UserError

NAME = 'shapes/ssd300_r18_shapes.py'


def test_the_base_is_read_as_if_it_lay_beside(tmp_path: Path) -> None:
    path = tmp_path / 'a.py'
    path.write_text(f"_base_ = 'ssd_plugin::{NAME}'\nmodel = dict(backbone=dict(base_channels=16))\n")
    expected = load_config(shipped_configs.configs_folder() / NAME, {'model.backbone.base_channels': 16})
    assert load_config(path).to_dict() == expected.to_dict()


def test_bases_of_mmdet_have_its_scope(tmp_path: Path) -> None:
    path = tmp_path / 'a.py'
    path.write_text("_base_ = 'mmdet::_base_/schedules/schedule_1x.py'\n")
    shipped_configs.install()
    assert Config.fromfile(path).optim_wrapper['_scope_'] == 'mmdet'


@pytest.mark.filterwarnings('ignore:pkg_resources is deprecated')  # mmengine looks packages up with it
def test_what_is_not_found_is_left_to_mmengine(tmp_path: Path) -> None:
    path = tmp_path / 'a.py'
    path.write_text("_base_ = 'mmdet::_base_/schedules/none.py'\n")
    with pytest.raises(FileNotFoundError, match=r'none\.py'):
        Config.fromfile(path)


def test_a_config_of_mmdet_is_read_whole() -> None:
    config = shipped_configs.mmdet_config('ssd/ssd300_coco.py')
    assert config.model.bbox_head.num_classes == 80
    assert config.train_pipeline[2].type == 'Expand'


def test_a_base_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / 'a.py'
    path.write_text("_base_ = 'ssd_plugin::shapes/none.py'\n")
    with pytest.raises(
        UserError, match=r'a\.py: not a readable config \(FileNotFoundError: .*/configs/shapes/none\.py'
    ):
        load_config(path)


def test_configs_of_a_wheel_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_configs, '_PACKAGE', tmp_path / 'ssd_plugin')
    assert shipped_configs.configs_folder() == tmp_path / 'configs'
    (tmp_path / 'ssd_plugin' / '.mim' / 'configs').mkdir(parents=True)
    assert shipped_configs.configs_folder() == tmp_path / 'ssd_plugin' / '.mim' / 'configs'


def test_a_tool_takes_a_shipped_config_by_its_name() -> None:
    expected = load_config(shipped_configs.configs_folder() / NAME)
    assert load_config(f'ssd_plugin::{NAME}').to_dict() == expected.to_dict()
    with pytest.raises(UserError, match=r'/configs/shapes/none\.py: no such config, expected a file$'):
        load_config('ssd_plugin::shapes/none.py')
