"""Refuse a checkpoint of another model, which MMEngine loads in part and goes on with."""

import re
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from ssd_plugin.errors import UserError

_KEYS_SHOWN = 3
# mmdet 2 kept the averaged weights beside the others.
_AVERAGED = 'ema_'


def check_fit(model: nn.Module, checkpoint: dict[str, Any], name: str) -> None:
    """Load a checkpoint and compare it with the model, weight by weight.

    Args:
        model: The model, which gets the weights; it may be wrapped for several devices or for test-time augmentation.
        checkpoint: With ``state_dict``, or this alone.
        name: Of the checkpoint, for the message.

    Raises:
        UserError: Weights are missing, unexpected or of another shape; the line names the first ones.
    """
    inner: Any = model
    while is_model_wrapper(inner) or isinstance(inner, BaseTTAModel):
        inner = inner.module
    weights = checkpoint.get('state_dict', checkpoint)
    try:
        missing, unexpected = inner.load_state_dict(
            {re.sub(r'^module\.', '', key): value for key, value in weights.items()}, strict=False
        )
    except RuntimeError as error:
        # The first line says which class it is about, each of the others one weight of another shape.
        faults = [line.strip() for line in str(error).splitlines()[1:]]
        raise _misfit(name, f'{len(faults)} weights are others: {faults[0]}') from error
    missing = [key for key in missing if not key.endswith('num_batches_tracked')]
    unexpected = [key for key in unexpected if not key.startswith(_AVERAGED)]
    found = [f'{word} {_some(keys)}' for word, keys in (('lacks', missing), ('has unknown', unexpected)) if keys]
    if found:
        raise _misfit(name, f'it {" and ".join(found)}')


class CheckpointFitHook(Hook):
    """Check whatever checkpoint a runner loads or resumes from, see :func:`check_fit`."""

    # Before the average of the weights (EMAHook) reads it.
    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Check it against the runner's model.

        Args:
            runner: Its model is built.
            checkpoint: As it was read.

        Raises:
            UserError: It does not fit.
        """
        check_fit(runner.model, checkpoint, runner._load_from or f'the last checkpoint in {runner.work_dir}')


def _misfit(name: str, reason: str) -> UserError:
    return UserError(
        f'{name}: does not fit the model of the config, {reason}; expected the weights of this model '
        '(the hook ssd_plugin.PartialLoadHook, in place of load_from, starts training from those that fit)'
    )


def _some(keys: list[str]) -> str:
    return f'{", ".join(keys[:_KEYS_SHOWN])}{f" and {len(keys) - _KEYS_SHOWN} more" if len(keys) > _KEYS_SHOWN else ""}'
