"""Check a device before anything is computed on it."""

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
