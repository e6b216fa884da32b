"""Act on a loss that is NaN or infinite before it reaches the weights."""

from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.dist import all_reduce, get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from ssd_plugin.errors import UserError
from ssd_plugin.registry import HOOKS

from .checkpoint_search import find_latest_checkpoint, non_finite_name
from .saved_batch import describe_samples, pack_batch, save_batch

_ACTIONS = ('stop', 'skip', 'rollback')


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Leave out the update of weights by a non-finite loss, say what it came from, and stop, skip or roll back.

    The log has the iteration, the terms of the loss, and every image with its boxes; ``non_finite/iter_N.pth`` in the
    work folder has the batch and the model, for ``tools/replay_batch.py``. Every iteration is looked at, and all
    processes act alike.

    Args:
        action: 'stop' ends the run with an error; 'skip' goes on with the next batch; 'rollback' goes on with the
            next batch from the weights and the optimizer of the last good checkpoint, at a lower learning rate.
        lr_factor: What a rollback multiplies the present learning rate with, in (0, 1].
        limit: The run stops all the same at more skips in a row, or more rollbacks in all, than this.

    Raises:
        UserError: A setting is none of these.
    """

    priority = 'HIGH'  # before everything that takes the iteration for a good one

    def __init__(self, action: str = 'stop', lr_factor: float = 0.1, limit: int = 10) -> None:
        if action not in _ACTIONS:
            raise UserError(f"NonFiniteLossHook.action: {action!r}, expected 'stop', 'skip' or 'rollback'")
        if not 0 < lr_factor <= 1:
            raise UserError(f'NonFiniteLossHook.lr_factor: {lr_factor}, expected a number above 0 and at most 1')
        self.action = action
        self.lr_factor = lr_factor
        self.limit = limit
        self._count = 0
        self._finite = True

    def before_train(self, runner: Runner) -> None:
        """Put the look at the loss in front of the update of weights.

        Args:
            runner: Its optimizer is built.
        """
        update = runner.optim_wrapper.update_params

        def update_if_finite(loss: Tensor, *args: Any, **kwargs: Any) -> None:
            finite = torch.isfinite(loss.detach()).all().float()
            all_reduce(finite, 'min')
            self._finite = bool(finite)
            if self._finite:
                update(loss, *args, **kwargs)

        runner.optim_wrapper.update_params = update_if_finite

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Optional[dict[str, Tensor]] = None
    ) -> None:
        """Act if the loss of the iteration was not finite.

        Args:
            runner: In training.
            batch_idx: Not used.
            data_batch: What the loader gave.
            outputs: The terms of the loss.

        Raises:
            UserError: The run stops.
        """
        if self._finite:
            # A rollback that was followed by finite losses may have to be repeated from the same checkpoint for ever.
            self._count = self._count if self.action == 'rollback' else 0
            return
        self._count += 1
        line = self._report(runner, data_batch, outputs or {})
        if self.action == 'stop':
            raise UserError(f'{line}; a lower learning rate is the usual remedy')
        if self._count > self.limit:
            raise UserError(f'{line}; stopped after {self.limit} times, expected fewer (NonFiniteLossHook.limit)')
        runner.logger.error(line)
        if self.action == 'rollback':
            self._roll_back(runner, line)
            return
        broken = non_finite_name(_model(runner).state_dict())
        if broken:
            raise UserError(f"{line}; {broken} is not finite either: skipping does not help, action='rollback' does")

    def _report(self, runner: Runner, batch: Any, outputs: dict[str, Tensor]) -> str:
        """Log the images, save the batch, and give the line."""
        terms = {name: float(value.detach()) for name, value in outputs.items()}
        broken = {name: value for name, value in terms.items() if name != 'loss' and not torch.tensor(value).isfinite()}
        rank, step, packed = get_rank(), runner.iter + 1, pack_batch(batch)
        # The sum can overflow where its terms do not, and the fault may be another process's.
        found = ', '.join(f'{name} = {value}' for name, value in broken.items()) or f'loss = {terms.get("loss")}'
        images = describe_samples(packed)
        for image in images:
            runner.logger.error(f'in the batch of the non-finite loss: {image}')
        # In a folder of its own, where nothing takes it for a checkpoint to resume from.
        path = Path(runner.work_dir) / 'non_finite' / f'iter_{step}{f"_rank_{rank}" if rank else ""}.pth'
        path.parent.mkdir(exist_ok=True)
        save_batch(path, batch=packed, state_dict=_model(runner).state_dict(), terms=terms, iter=step)
        first = f' with {images[0].partition(": boxes ")[0]} and {len(images) - 1} more' if images else ''
        return f'iteration {step}: non-finite loss ({found}) from the batch{first}, saved as {path}'

    def _roll_back(self, runner: Runner, line: str) -> None:
        path = find_latest_checkpoint(runner.work_dir, finite=True)
        if path is None:
            raise UserError(f'{line}; no checkpoint in {runner.work_dir}, expected one to roll back to')
        rates = [group['lr'] * self.lr_factor for group in runner.optim_wrapper.param_groups]
        checkpoint = runner.load_checkpoint(path)
        runner.optim_wrapper.load_state_dict(checkpoint['optimizer'])
        # Schedules go on from the rate of the iteration before, so that all that follow are lower too.
        for group, rate in zip(runner.optim_wrapper.param_groups, rates):
            group['lr'] = rate
        runner.logger.warning(f'rolled back to {path}, learning rate {rates[0]:.3g} from here')


def _model(runner: Runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
