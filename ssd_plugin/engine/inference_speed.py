"""Makes a trained detector predict faster."""

import torch
from mmcv.cnn import fuse_conv_bn
from torch import nn

from .autocast import choose_dtype


def speed_up(model: nn.Module, fuse: bool, amp: bool) -> None:
    """Changes a detector in place; afterwards it is good for predicting alone.

    Args:
        model: A detector with its trained weights, or its distributed wrapper, on the device it predicts on.
        fuse: Fold every batch normalisation that follows a convolution into its weights. The result is the same but
            for rounding.
        amp: Run the network in 16 bits, the weights of its convolutions kept so. Scores, boxes and suppression stay in
            32.

    Raises:
        InputError: 16 bits on a device other than 'cuda' and 'cpu'.
    """
    if fuse:
        fuse_conv_bn(model)
    if amp:
        device_type = next(model.parameters()).device.type
        dtype = choose_dtype(None, device_type)
        for module in model.modules():
            # Autocast would cast them again for every batch. Subclasses may compute with theirs first.
            if type(module) is nn.Conv2d:
                module.to(dtype)
        # What the test loop and mmdet's inferencer call.
        model.test_step = torch.autocast(device_type, dtype)(model.test_step)
