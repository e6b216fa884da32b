"""Let a resumed run end in the weights that it would have had without the interruption."""

from typing import Any, Optional

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from ssd_plugin.registry import HOOKS

from .checkpoint_search import check_resumable
from .seeded_loader import seed_loader, seed_states

_DONE = 'batches_of_epoch'


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Resume at the very batch, with the random numbers that an undisturbed run would draw there.

    No random state is saved: a loader's worker has drawn beyond the checkpoint by the time it is written, and each
    process has states of its own. Instead every iteration, and every sample in its worker, starts from states of
    Python, numpy and torch that follow from the seed (which the checkpoint has) and the place in the run. So the
    number of workers may change too, and several processes draw for the images of a batch what one would draw. Bit for
    bit equal are runs on a CPU with the same number of threads, and on a GPU under ``randomness.deterministic``.

    The samplers of MMEngine, and others that draw from ``seed`` and ``epoch``, go on where they were. A checkpoint
    between two updates of accumulated gradients has those too, except of several processes.

    Differs: MMEngine starts an epoch anew with other random numbers, and an iteration-based run by loading all the
    images that it has trained on.
    """

    # The seeds come before whatever else draws, and `begun` before the checkpoint of an epoch is written.
    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._done = 0  # batches of the epoch that the checkpoint was written in
        self._begun: Optional[int] = None  # the iteration that the epoch began with

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint to resume from that holds no run, and read the place in the epoch.

        Args:
            runner: Its model is built.
            checkpoint: As it was read.

        Raises:
            UserError: It has weights only.
        """
        if not runner._resume or self._begun is not None:
            return
        check_resumable(checkpoint, runner._load_from or f'the last checkpoint in {runner.work_dir}')
        self._done = checkpoint['meta'].get(_DONE, 0)
        for name, parameter in runner.model.named_parameters():
            parameter.grad = checkpoint.get('gradients', {}).get(name)

    def before_train_epoch(self, runner: Runner) -> None:
        """Take over the loader, once.

        Args:
            runner: Resumed, if it is to be.
        """
        if self._begun is None:
            skipped = runner.iter if isinstance(runner.train_loop, IterBasedTrainLoop) else self._done
            self._begun = runner.iter - skipped
            seed_loader(runner.train_loop, runner.seed, skipped)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed what the model draws.

        Args:
            runner: In training.
            batch_idx: Not used.
            data_batch: Not used.
        """
        own = get_rank() if runner._randomness_cfg.get('diff_rank_seed') else 0
        seed_states(runner.seed + own, runner.iter, 0)

    def after_train_epoch(self, runner: Runner) -> None:
        """Note where the next epoch begins.

        Args:
            runner: In training.
        """
        self._begun = runner.iter

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add the place in the epoch, and gradients that wait for others.

        Args:
            runner: In training.
            checkpoint: About to be written.
        """
        checkpoint['meta'][_DONE] = checkpoint['meta']['iter'] - (self._begun or 0)
        if runner.world_size == 1:
            gradients = {name: value.grad for name, value in runner.model.named_parameters() if value.grad is not None}
            if gradients:
                checkpoint['gradients'] = gradients
