"""Find the config and the checkpoint of a run in its work folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ssd_plugin.engine.checkpoint_search import find_latest_checkpoint
from ssd_plugin.errors import UserError


@dataclass(frozen=True)
class WorkFolder:
    """What a run has left.

    Attributes:
        path: The folder.
        config: The whole config, as MMEngine writes it beside the checkpoints; of several the newest.
        checkpoint: The best one, or else the last one; None where none is asked for.
    """

    path: Path
    config: Path
    checkpoint: Optional[Path]

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return self.path.resolve().name


def find_run(path: Path, with_checkpoint: bool) -> WorkFolder:
    """Look through a work folder.

    Args:
        path: The folder, as ``tools/train.py --work-dir`` had it.
        with_checkpoint: Whether the run has to have a checkpoint.

    Returns:
        What is there. The best checkpoint is the newest ``best_*.pth``; the last one is that which ``--resume`` takes.

    Raises:
        UserError: There is no such folder, no config in it, or no checkpoint.
    """
    if not path.is_dir():
        raise UserError(f'{path}: no such folder, expected the work folder of a training run')
    configs = _by_age(path, '*.py')
    if not configs:
        raise UserError(f'{path}: no config (*.py) in it, expected the work folder of a training run')
    return WorkFolder(path, configs[-1], _find_checkpoint(path) if with_checkpoint else None)


def _find_checkpoint(path: Path) -> Path:
    best = _by_age(path, 'best_*.pth')
    last = str(best[-1]) if best else find_latest_checkpoint(str(path))
    if last is None:
        raise UserError(f'{path}: no checkpoint in it yet, expected best_*.pth or one that last_checkpoint names')
    return Path(last)


def _by_age(path: Path, pattern: str) -> list[Path]:
    # A name with a dot is a draft.
    files = [file for file in path.glob(pattern) if not file.name.startswith('.')]
    return sorted(files, key=lambda file: file.stat().st_mtime)
