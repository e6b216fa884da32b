"""Save a run that is told to stop."""

import atexit
import os
import signal
from functools import partial
from multiprocessing.sharedctypes import RawValue
from typing import Any, Callable, Optional

import torch
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner

from ssd_plugin.stop_signals import Stopped, on_first_signal, stop_now

from .safe_checkpoint_hook import SafeCheckpointHook

_PATIENCE = 60  # seconds


class StopHook(Hook):
    """On Ctrl-C or SIGTERM, save after the iteration under way and stop the run; a second signal ends it at once.

    All processes stop after the same iteration, whichever of them got the signal. A single process need not finish a
    validation for that; the resumed run goes on behind it.
    """

    priority = 'LOWEST'  # after all that belongs to the iteration

    def __init__(self) -> None:
        self._number = 0

    def before_train(self, runner: Runner) -> None:
        """Take over the signals, and make the loaders' workers outlive them: schedulers send them to all processes.

        Args:
            runner: Its loaders are built.
        """
        on_first_signal(self._note)
        over = RawValue('b')
        # multiprocessing sends the same signal to the workers that are left when the main process ends.
        atexit.register(setattr, over, 'value', 1)
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None:
                loop.dataloader.worker_init_fn = partial(_start_patiently, over, loop.dataloader.worker_init_fn)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Stop if told so.

        Args:
            runner: In training.
            batch_idx: Not used.
            data_batch: Not used.
            outputs: Not used.

        Raises:
            Stopped: All is saved.
        """
        number = torch.tensor(self._number)
        all_reduce(number, 'max')
        if number:
            self._stop(runner, int(number), runner.iter + 1)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Stop a single process if told so; several may have different numbers of batches to validate.

        Args:
            runner: In validation.
            batch_idx: Not used.
            data_batch: Not used.
            outputs: Not used.

        Raises:
            Stopped: All is saved.
        """
        if self._number and runner.world_size == 1:
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):
                    hook.after_val_epoch(runner)  # gives the model its own weights back
            self._stop(runner, self._number, runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Give the signals back.

        Args:
            runner: Has trained.
        """
        on_first_signal(stop_now)

    def _note(self, number: int) -> None:
        self._number = number
        if is_main_process():
            # The main thread may be within a print.
            os.write(2, f'{signal.Signals(number).name}: saving; another one stops at once\n'.encode())

    def _stop(self, runner: Runner, number: int, iteration: int) -> None:
        line = f'stopped by {signal.Signals(number).name} after iteration {iteration}: '
        hooks = [hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)]
        if hooks:
            line += f'{hooks[0].save_interrupted(runner, iteration)} is saved, '
            line += 'the same command with --resume goes on from it'
        else:
            line += 'nothing is saved since the last checkpoint (default_hooks.checkpoint is no SafeCheckpointHook)'
        raise Stopped(number, line if is_main_process() else '')


def _start_patiently(over: Any, start: Optional[Callable[[int], None]], worker: int) -> None:
    # In place of torch's handler, which ends a worker at once and with it the run: time to save, but not for ever.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0) if over.value else signal.alarm(_PATIENCE))
    if start is not None:
        start(worker)
