"""Check what TensorBoard, Weights & Biases and MLflow need before a run that reports to them writes anything."""

import os
from importlib.util import find_spec

from mmengine.config import Config

from ssd_plugin.errors import UserError

from .config_types import walk

# What each backend of mmengine needs.
_PACKAGES = {
    'TensorboardVisBackend': 'tensorboard',
    'WandbVisBackend': 'wandb',
    'MLflowVisBackend': 'mlflow',
}


def prepare_trackers(config: Config) -> None:
    """Check that the packages of the config's visualisation backends are installed.

    MLflow refuses a folder as its store, mmengine's default, in recent versions unless an environment variable allows
    it, which is set here where the config names no other place.

    Args:
        config: Its ``visualizer`` may have ``vis_backends``.

    Raises:
        UserError: A package is missing; the line has the command that installs it.
    """
    for path, part in walk(config.get('visualizer'), 'visualizer'):
        name = str(part.get('type')).rpartition('.')[2]
        package = _PACKAGES.get(name)
        if package and find_spec(package) is None:
            raise UserError(f'{path}.type: {name} needs a package that is not installed: pip install {package}')
        if name == 'MLflowVisBackend' and not part.get('tracking_uri'):
            os.environ.setdefault('MLFLOW_ALLOW_FILE_STORE', 'true')
