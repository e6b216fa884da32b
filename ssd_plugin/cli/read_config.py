"""Read the config that a command line asks for."""

import os
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.config import Config

from ssd_plugin.engine import data_file_safety
from ssd_plugin.errors import UserError

from .config_file import load_config
from .launch import place_among_processes

AMP_WRAPPER = 'ssd_plugin.AutocastOptimWrapper'


def read_config(path: str, options: Optional[dict[str, Any]], work_dir: Optional[str], launcher: str) -> Config:
    """Read a config, with what the command line changes; from then on data files are read as data alone.

    Args:
        path: Config file.
        options: Values of ``--cfg-options``, by dotted key.
        work_dir: Where the run writes; None = the config's own, or ``work_dirs/`` and the config's name.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.

    Raises:
        UserError: The file is missing or is no config.
    """
    config = load_config(path, options)
    data_file_safety.install()
    config.launcher = launcher
    config.work_dir = work_dir or config.get('work_dir') or os.path.join('work_dirs', Path(path).stem)
    share_batch(config, launcher)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name) or {}
        if loader.get('num_workers') == 0:
            # torch refuses settings of workers that there are not.
            loader['persistent_workers'] = False
            loader.pop('prefetch_factor', None)
        if loader and torch.cuda.is_available():
            # Copies to the device overlap with computing only from pinned memory; without a device pinning only warns.
            loader.setdefault('pin_memory', True)
    return config


def share_batch(config: Config, launcher: str) -> None:
    """Give every process its share of ``total_batch_size``, so that a recipe does not change with the devices.

    Configs without ``total_batch_size``, and a batch size set by hand to something else, stay as they are.

    Raises:
        UserError: The total does not divide by the number of processes.
    """
    total = config.get('total_batch_size')
    if total is None or config.train_dataloader.batch_size != total:
        return
    processes = place_among_processes(launcher)[1]
    if total % processes:
        raise UserError(
            f'total_batch_size={total} cannot be shared by {processes} processes, expected a divisor; '
            'set train_dataloader.batch_size with --cfg-options'
        )
    config.train_dataloader.batch_size = total // processes
