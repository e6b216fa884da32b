"""Have a run skip and list the training images that cannot be read."""

from pathlib import Path

from mmengine.config import Config
from mmengine.registry import HOOKS, TRANSFORMS

from ssd_plugin.datasets.quarantine import FILE_NAME
from ssd_plugin.datasets.transforms import LoadImage
from ssd_plugin.engine import QuarantineHook

from .config_types import find, walk


def skip_unreadable_images(config: Config) -> None:
    """Set the quarantine of every ``LoadImage`` of the training data, if a ``QuarantineHook`` reads it.

    This comes before the run is built, because an iteration-based loop starts its loader's processes before any hook
    is called. The list of an earlier start is deleted.

    Args:
        config: Config of a training, with its ``work_dir``.
    """
    scope = config.get('default_scope')
    hooks = [find(HOOKS, hook.get('type'), scope) for hook in config.get('custom_hooks') or ()]
    if QuarantineHook not in hooks:
        return
    path = Path(config.work_dir, FILE_NAME)
    path.unlink(missing_ok=True)
    for _, part in walk(config.train_dataloader, 'train_dataloader'):
        if 'type' in part and find(TRANSFORMS, part['type'], scope) is LoadImage:
            part['quarantine'] = str(path.absolute())
