"""Tell whether training waits for its data."""

from typing import Any

from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import Runner

from ssd_plugin.registry import HOOKS

# A smaller share of the time is not worth a line.
NOTABLE = 0.1


@HOOKS.register_module()
class LoaderMeterHook(Hook):
    """Log the share of the iterations' time that went into waiting for data, if it is notable: ``loader bound 40 %``.

    The times are those of mmengine's ``IterTimerHook``, and a line may follow each of its ``LoggerHook``. Where many
    do, more or faster workers make training faster; the first includes starting them.
    """

    priority = 'LOW'  # after the logger's line

    def __init__(self) -> None:
        self._waiting = self._total = 0.0

    def before_train(self, runner: Runner) -> None:
        """Take over how often to log.

        Args:
            runner: In training, with an ``IterTimerHook`` and a ``LoggerHook``.
        """
        (self._interval,) = (hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Count the iteration, and judge once in an interval; an epoch shorter than that is judged at its end.

        Args:
            runner: In training.
            batch_idx: Index of the iteration, in its epoch where there are epochs.
            data_batch: Not used.
            outputs: Not used.
        """
        self._waiting += runner.message_hub.get_scalar('train/data_time').current()
        self._total += runner.message_hub.get_scalar('train/time').current()
        loader = runner.train_dataloader
        short_epoch_ends = len(loader) <= self._interval and self.end_of_epoch(loader, batch_idx)
        if self.every_n_inner_iters(batch_idx, self._interval) or short_epoch_ends:
            share = self._waiting / self._total
            if share >= NOTABLE:
                runner.logger.info(f'loader bound {100 * share:.0f} %')
            self._waiting = self._total = 0.0
