"""Make a trained detector predict faster."""

import os
import shlex
import shutil

import torch
from mmcv.cnn import fuse_conv_bn
from mmdet.models.detectors import SingleStageDetector
from torch import nn

from ssd_plugin.errors import UserError

from .autocast import choose_dtype


def optimize_for_inference(model: nn.Module, fuse: bool, amp: bool, compiled: bool = False) -> None:
    """Change a detector in place; afterwards it is good for predicting alone.

    Args:
        model: A detector with its trained weights, or its distributed wrapper, on the device it predicts on.
        fuse: Fold every batch normalisation that follows a convolution into its weights. The result is the same but
            for rounding.
        amp: Run the network in 16 bits, the weights of its convolutions kept so. Scores, boxes and suppression stay in
            32.
        compiled: Compile the network, its weights frozen into it, at the first batch of every size; takes some ten
            seconds then.

    Raises:
        UserError: 16 bits on a device other than 'cuda' and 'cpu', or no C++ compiler to compile for a CPU with.
    """
    device_type = next(model.parameters()).device.type
    if compiled and device_type == 'cpu':
        compiler = shlex.split(os.environ.get('CXX') or 'g++')[0]
        if shutil.which(compiler) is None:
            raise UserError(f'--compile: C++ compiler {compiler!r} not found, expected one on the PATH or in CXX')
    if fuse:
        fuse_conv_bn(model)
    if amp:
        dtype = choose_dtype(None, device_type)
        for module in model.modules():
            # Autocast would cast them again for every batch. Subclasses may compute with theirs first.
            if type(module) is nn.Conv2d:
                module.to(dtype)
        # What the test loop and mmdet's inferencer call.
        model.test_step = torch.autocast(device_type, dtype)(model.test_step)
    if compiled:
        # Around them lie steps whose shapes depend on what is found.
        for module in model.modules():
            if isinstance(module, SingleStageDetector):
                module.extract_feat = torch.compile(module.extract_feat, options={'freezing': True})
                module.bbox_head.forward = torch.compile(module.bbox_head.forward, options={'freezing': True})
