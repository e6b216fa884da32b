"""Chooses the order in which a network keeps its maps in memory."""

import torch
from torch import nn


def choose_memory_format(network: nn.Module, channels_last: bool) -> torch.memory_format:
    """Choose channels-last order where it is wanted and every layer can work in it.

    Args:
        network: With all its layers.
        channels_last: Whether it is wanted.

    Returns:
        ``torch.channels_last`` or ``torch.contiguous_format``.
    """
    if not channels_last or any(_needs_plain_order(module) for module in network.modules()):
        return torch.contiguous_format
    return torch.channels_last


def _needs_plain_order(module: nn.Module) -> bool:
    # mmcv's compiled layers read their inputs in the plain order: some refuse others, DCNv2 computes nonsense.
    if type(module).__module__.startswith('mmcv.ops.'):
        return True
    if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and max(module.stride) > 1:
        # On a CPU the gradient of its weight would damage memory: docs/upstream/onednn_channels_last_crash.md.
        return module.in_channels < 16
    return False
