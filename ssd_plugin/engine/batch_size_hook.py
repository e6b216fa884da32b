"""Tell when a run does not train with the batch size of its recipe."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssd_plugin.registry import HOOKS


@HOOKS.register_module()
class BatchSizeHook(Hook):
    """Log one warning line if the total batch is not ``auto_scale_lr.base_batch_size``, which the learning rate is for.

    The total counts all processes and accumulated gradients. Nothing is logged where the rate is scaled
    (``auto_scale_lr.enable``, which ``--auto-scale-lr`` sets).
    """

    def before_train(self, runner: Runner) -> None:
        """Compare the two.

        Args:
            runner: Its optimizer and training data are built.
        """
        recipe = runner.auto_scale_lr or {}
        expected = recipe.get('base_batch_size')
        if expected is None or recipe.get('enable'):
            return
        batch = runner.train_dataloader.batch_sampler.batch_size
        # Wrappers of several optimizers have no count of their own.
        accumulated = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        total = batch * runner.world_size * accumulated
        if total != expected:
            runner.logger.warning(
                f'total batch size {total} (batch {batch}, processes {runner.world_size}, accumulated {accumulated}), '
                f'but the learning rate of this config is for {expected}: --auto-scale-lr scales it'
            )
