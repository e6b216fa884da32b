"""Check and describe the device that something is computed on."""

from typing import Optional

import torch

from ssd_plugin.errors import UserError


def check_device(name: Optional[str]) -> None:
    """Check that a device of the command line is there.

    Args:
        name: Such as 'cpu' or 'cuda:1'; None = whatever there is.

    Raises:
        UserError: PyTorch knows no such name, or there is no such device.
    """
    try:
        torch.zeros((), device=name).item()
    except (AssertionError, ImportError, RuntimeError) as error:
        # Which error it is, and its many lines, depend on the kind of the device and on the build of PyTorch.
        devices = ['cpu', *(f'cuda:{i}' for i in range(torch.cuda.device_count()))]
        raise UserError(f'--device {name}: no such device here, expected one like {", ".join(devices)}') from error


def describe_device(name: str) -> str:
    """Say what a device is.

    Args:
        name: 'cpu', or of PyTorch's current GPU 'cuda'; any other name stands for itself.

    Returns:
        Such as 'cpu, 2 threads' or 'cuda, NVIDIA H200'.
    """
    if name == 'cpu':
        threads = torch.get_num_threads()
        return f'cpu, {threads} thread{"s" if threads > 1 else ""}'
    return f'{name}, {torch.cuda.get_device_name()}' if name.startswith('cuda') else name
