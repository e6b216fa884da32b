"""Save checkpoints so that a run killed at any moment keeps one."""

import os
from pathlib import Path
from typing import Any, Union

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from ssd_plugin.errors import UserError
from ssd_plugin.registry import HOOKS
from ssd_plugin.whole_file import whole_file

_BACKEND = 'ssd_plugin.whole'
_INTERRUPTED = 'interrupted.pth'


class WholeFileBackend(LocalBackend):
    """Local files that are written whole or not at all."""

    def put(self, obj: Union[bytes, memoryview], filepath: Union[str, Path]) -> None:
        """Write a file.

        Args:
            obj: Its content.
            filepath: Where; an older file stays until the new one is complete on the disk.

        Raises:
            UserError: The file cannot be written, for instance because the disk is full.
        """
        path = Path(filepath)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path, 'wb') as file:
                file.write(obj)
        except OSError as error:
            raise UserError(
                f'{path}: not saved ({error.strerror}), expected a writable folder with room for {len(obj)} bytes; '
                'checkpoints saved before are intact'
            ) from error


register_backend(_BACKEND, WholeFileBackend, force=True)


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, with at least one complete checkpoint on the disk at any moment.

    A checkpoint is written beside its place, flushed to the disk and renamed; only then the outdated one is deleted.
    ``last_checkpoint`` is written in the same way and relative to its folder, so that the folder can be moved.

    The arguments are those of ``CheckpointHook``; a remote ``out_dir`` is written by its own backend.

    Differs: MMEngine deletes first and then writes in place.
    """

    def before_train(self, runner: Runner) -> None:
        """Clear away what a killed process left half-written.

        Args:
            runner: Its work folder exists.
        """
        super().before_train(runner)
        if not isinstance(self.file_backend, LocalBackend):
            return
        self.backend_args = {'backend': _BACKEND}
        if is_main_process():
            for draft in (*Path(self.out_dir).glob('.*.pth-*'), *Path(runner.work_dir).glob('.last_checkpoint-*')):
                draft.unlink()

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        outdated = None
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated = self.keep_ckpt_ids.popleft()
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        self._write(runner, self.filename_tmpl.format(step), meta)
        if is_main_process():
            self._remove(_INTERRUPTED)
            if outdated is not None:
                self._remove(self.filename_tmpl.format(outdated))

    def save_interrupted(self, runner: Runner, iteration: int) -> str:
        """Save a run at any iteration; the next regular checkpoint takes the place of this one.

        Args:
            runner: In training.
            iteration: How many iterations are done.

        Returns:
            The file.
        """
        self._write(runner, _INTERRUPTED, {'epoch': runner.epoch, 'iter': iteration})
        return str(self.last_ckpt)

    def _write(self, runner: Runner, name: str, meta: dict[str, Any]) -> None:
        """Write a checkpoint, and last_checkpoint after it."""
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            local = isinstance(self.file_backend, LocalBackend)
            with whole_file(Path(runner.work_dir) / 'last_checkpoint') as file:
                file.write(os.path.relpath(self.last_ckpt, runner.work_dir) if local else self.last_ckpt)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        # MMEngine deletes the old one first, unless it knows of none.
        old, old_by_key = getattr(self, 'best_ckpt_path', None), dict(getattr(self, 'best_ckpt_path_dict', {}))
        self.best_ckpt_path, self.best_ckpt_path_dict = None, dict.fromkeys(old_by_key)
        super()._save_best_checkpoint(runner, metrics)
        pairs = [(old, self.best_ckpt_path)] + [
            (path, self.best_ckpt_path_dict[key]) for key, path in old_by_key.items()
        ]
        for before, now in pairs:
            if before and now and is_main_process() and os.path.basename(before) != os.path.basename(now):
                self._remove(os.path.basename(before))
        self.best_ckpt_path = self.best_ckpt_path or old
        self.best_ckpt_path_dict = {key: self.best_ckpt_path_dict[key] or path for key, path in old_by_key.items()}

    def _remove(self, name: str) -> None:
        # A resumed run remembers the folder that it was in before it was moved.
        path = self.file_backend.join_path(self.out_dir, name)
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
