"""Batch normalisation of a batch that has one value per channel."""

from typing import Any

from mmengine.dist import get_world_size
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def normalize_single_values(model: nn.Module) -> None:
    """Let every batch normalisation train on an input of one value per channel, as one image has on a 1x1 map.

    One value has no variance, and torch refuses it in training. For that one forward pass the layer takes its running
    statistics, as in evaluation, and leaves them as they are; weights and bias learn. Larger inputs see no change.

    Args:
        model: Changed in place; its state dict keeps its keys.
    """
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.register_forward_pre_hook(_freeze)
            module.register_forward_hook(_unfreeze, always_call=True)


def _freeze(norm: Any, inputs: tuple[Any, ...]) -> None:
    # Synchronised layers have the values of the other processes too, which wait for this one's.
    synchronised = isinstance(norm, nn.SyncBatchNorm) and get_world_size() > 1
    norm.frozen_for_one_value = norm.training and not synchronised and inputs[0].numel() == inputs[0].shape[1]
    if norm.frozen_for_one_value:
        norm.training = False


def _unfreeze(norm: Any, *_: Any) -> None:
    norm.training = norm.training or norm.frozen_for_one_value
