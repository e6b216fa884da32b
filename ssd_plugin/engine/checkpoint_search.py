"""Find the checkpoint that a run goes on from."""

import logging
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.logging import print_log
from mmengine.runner import runner as mmengine_runner
from torch import Tensor

from ssd_plugin.errors import UserError

from .checkpoint_safety import load_checkpoint_file


def non_finite_name(state_dict: dict[str, Tensor]) -> Optional[str]:
    """Name the first tensor of a model that holds a NaN or an infinity; None if there is none.

    Args:
        state_dict: Of the model.
    """
    return next((name for name, value in state_dict.items() if not torch.isfinite(value).all()), None)


def find_latest_checkpoint(path: str, finite: bool = False) -> Optional[str]:
    """Find the newest intact checkpoint: the one that ``last_checkpoint`` names, or else the youngest beside it.

    Differs: MMEngine's function of this name takes the last one whatever its state, and from where the folder was.

    Args:
        path: The work folder of a run; it may have been moved.
        finite: Whether all weights have to be finite.

    Returns:
        The checkpoint, or None where there is none at all.

    Raises:
        UserError: There are checkpoints, and none is good.
    """
    work_dir = folder = Path(path)
    pointer = work_dir / 'last_checkpoint'
    name = pointer.read_text().strip() if pointer.is_file() else ''
    if '://' in name:
        return name
    candidates = []
    if name:
        # A relative name starts from the work folder; MMEngine's absolute ones lead nowhere once the folder is moved.
        last = work_dir / name
        candidates.append(last if last.exists() else work_dir / last.name)
        folder = candidates[0].parent
    # The best ones come without their optimizer, and a name with a dot is a draft.
    saved = [file for file in folder.glob('*.pth') if not file.name.startswith(('.', 'best_'))]
    candidates += sorted(saved, key=lambda file: file.stat().st_mtime, reverse=True)
    for file in dict.fromkeys(candidates):
        try:
            _check(file, finite)
        except UserError as error:
            print_log(f'not used: {error}', logger='current', level=logging.WARNING)
        else:
            return str(file)
    if candidates:
        raise UserError(f'{path}: none of its {len(set(candidates))} checkpoints is good, expected one to go on from')
    return None


def check_resumable(checkpoint: dict[str, Any], name: str) -> None:
    """Look for what a run needs to go on.

    Args:
        checkpoint: As it was read.
        name: Of the checkpoint, for the message.

    Raises:
        UserError: Something is missing, for instance because the file has weights only.
    """
    for key in ('meta', 'state_dict', 'message_hub', 'optimizer'):
        if key not in checkpoint:
            raise UserError(
                f'{name}: no {key!r} in it, expected the checkpoint of a training run; '
                'load_from starts a new run from weights alone'
            )


def _check(file: Path, finite: bool) -> None:
    checkpoint = load_checkpoint_file(file)
    check_resumable(checkpoint, str(file))
    broken = non_finite_name(checkpoint['state_dict']) if finite else None
    if broken:
        raise UserError(f'{file}: {broken} holds NaN or infinity, expected finite weights')


def install() -> None:
    """Make ``--resume`` of MMEngine's runner search in this way, in the whole process."""
    mmengine_runner.find_latest_checkpoint = find_latest_checkpoint
