"""Build the runner of a run, and say in one block what it is about."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from .device import describe_device
from .terminal import aligned, keep_short


class ShortRunner(Runner):
    """MMEngine's runner with a short terminal, see :mod:`ssd_plugin.cli.terminal`; its log file is as ever."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger, as MMEngine's runner does."""
        logger = super().build_logger(*args, **kwargs)
        keep_short(logger)
        return logger


class EvaluationRunner(ShortRunner):
    """Tests in the work folder of a training, whose config it leaves there: a report and a next training read that."""

    def dump_config(self) -> None:
        """Write nothing beside the checkpoints; what was tested stands beside the log, in ``vis_data/config.py``."""


def describe_run(runner: Runner, config: Config, mode: str) -> str:
    """Say what a run is about, a line for each thing; the data sets are built for it.

    Args:
        runner: Before its run.
        config: What it was built from.
        mode: 'train' or 'test'.
    """
    processes = f', {runner.world_size} processes' if runner.world_size > 1 else ''
    rows = {
        'config': config.filename,
        'weights': f'{config.load_from}' if config.get('load_from') else '',
        'work folder': runner.work_dir,
        'log': str(Path(runner.log_dir, f'{runner.timestamp}.log')),
        'seed': str(runner.seed),
        'device': f'{describe_device(get_device())}{processes}',
    }
    if mode == 'train':
        loop, loader = runner.train_loop, runner.train_dataloader
        unit = 'epochs' if 'max_epochs' in config.train_cfg else 'iterations'
        epochs = f'{loop.max_epochs} epochs, ' if unit == 'epochs' else ''
        rows['training'] = (
            f'{len(loader.dataset)} images, {len(loader)} batches of {loader.batch_sampler.batch_size}, '
            f'{epochs}{loop.max_iters} iterations'
        )
        if config.get('val_dataloader'):
            rows['validation'] = f'{len(runner.val_dataloader.dataset)} images, every {loop.val_interval} {unit}'
    else:
        rows['test'] = f'{len(runner.test_dataloader.dataset)} images'
    return '\n' + aligned({name: value for name, value in rows.items() if value})
