"""Take an exported file in place of a checkpoint."""

from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ssd_plugin.errors import UserError

from .config_data import dataset_classes

# The endings that tools/export.py gives.
EXPORTED = ('.onnx', '.xml', '.torchscript', '.pt2')


def is_exported(checkpoint: str) -> bool:
    """Tell by its ending whether a file is an exported detector instead of a checkpoint."""
    return Path(checkpoint).suffix in EXPORTED


def predict_with_file(config: Config, file: str, options: dict[str, Any]) -> None:
    """Put an exported file in the place of a config's model.

    Args:
        config: A whole config; its classes and its input size have to be the file's.
        file: The exported file.
        options: By name those that change a network, which a file does not let; each has to be unset.

    Raises:
        UserError: One is set; the line names it.
    """
    for option, value in options.items():
        if value:
            raise UserError(f'{option}: {file} is an exported file, expected this option with a checkpoint alone')
    model = ConfigDict(type='ssd_plugin.ExportedDetector', file=file, classes=dataset_classes(config))
    if config.model.get('input_size'):
        size = config.model.input_size
        model.input_size = [size, size] if isinstance(size, int) else list(size)
    config.model = model
    config.load_from = None
