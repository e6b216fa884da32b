"""Let a config elsewhere build on one that this package ships: ``_base_ = 'ssd_plugin::ssd/ssd300_vgg16_voc0712.py'``.

MMEngine has a list of the packages for which this works. Being in it is not enough: the types of such a base are looked
up in the scope of its package, where ours are not those of mmdet that our configs name without a scope, and an editable
install is looked for where it is not. mmdet's own (``mmdet::FOLDER/NAME.py``) are found here too: MMEngine looks them
up with a module that warns of its end each time.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Optional

from mmengine.config import Config

_PREFIX = 'ssd_plugin::'
_PACKAGE = Path(__file__).parent


def configs_folder() -> Path:
    """Find the shipped configs.

    Returns:
        The folder inside the installed package, or the one of the checkout.
    """
    installed = _PACKAGE / '.mim' / 'configs'
    return installed if installed.is_dir() else _PACKAGE.parent / 'configs'


def mmdet_config(name: str) -> Config:
    """Read a config that mmdet ships, for a config that wants a part of it.

    Args:
        name: ``FOLDER/NAME.py``.
    """
    return Config.fromfile(_mmdet_path(name))


def _mmdet_path(name: str) -> Path:
    spec = find_spec('mmdet')
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / '.mim' / 'configs' / name


def config_path(name: str) -> str:
    """Find a shipped config by its name.

    Args:
        name: ``ssd_plugin::FOLDER/NAME.py``, or the path of any file.

    Returns:
        Its path; any other path as it is.
    """
    return str(configs_folder() / name[len(_PREFIX) :]) if name.startswith(_PREFIX) else name


_find_elsewhere = Config._get_cfg_path


def _find_base(cfg_path: str, filename: str) -> tuple[str, Optional[str]]:
    """Give the path of a base, and the scope of its types if it is another than the config's."""
    if cfg_path.startswith(_PREFIX):
        return config_path(cfg_path), None
    package, _, name = cfg_path.rpartition('::')
    if package == 'mmdet' and (path := _mmdet_path(name)).is_file():
        return str(path), package
    return _find_elsewhere(cfg_path, filename)


def install() -> None:
    """Make MMEngine read these bases as if they lay beside the config; a second call changes nothing."""
    Config._get_cfg_path = staticmethod(_find_base)
