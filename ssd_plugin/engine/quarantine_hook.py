"""Name the training images that cannot be read, and stop when there are too many."""

from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssd_plugin.datasets.quarantine import FILE_NAME, listed_images
from ssd_plugin.errors import UserError
from ssd_plugin.registry import HOOKS


@HOOKS.register_module()
class QuarantineHook(Hook):
    """Let training go on without the images that cannot be read: log each once, and stop when there are too many.

    With this hook in the config, ``tools/train.py`` has every ``ssd_plugin.LoadImage`` of the training data skip such
    images and list them in ``quarantine.txt`` in the work folder, whichever process loads them. The list is that of
    the run since it was last started or resumed; an image that can be read again is trained on again.

    Args:
        max_share: The run stops when more than this share of the training images is listed, from 0 to 1. A single
            image never stops it, except at 0.

    Raises:
        UserError: The share is none.
    """

    def __init__(self, max_share: float = 0.01) -> None:
        if not 0 <= max_share <= 1:
            raise UserError(f'QuarantineHook.max_share: {max_share}, expected a number from 0 to 1')
        self.max_share = max_share

    def before_train(self, runner: Runner) -> None:
        """Count the training images.

        Args:
            runner: Its training data is built.
        """
        self._path = Path(runner.work_dir, FILE_NAME)
        self._images = _length(runner.train_dataloader.dataset)
        self._size, self._known = 0, 0

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Look for new images in the list.

        Args:
            runner: In training.
            batch_idx: Not used.
            data_batch: Not used.
            outputs: Not used.

        Raises:
            UserError: There are too many.
        """
        size = self._path.stat().st_size if is_main_process() and self._path.exists() else 0
        if size == self._size:
            return
        self._size = size
        faults = list(listed_images(str(self._path)).values())
        for fault in faults[self._known :]:
            runner.logger.warning(f'skipped an image: {fault}')
        self._known = len(faults)
        if self._known / self._images > self.max_share and (self._known > 1 or not self.max_share):
            raise UserError(
                f'{faults[-1]}; {self._known} of {self._images} training images cannot be used, expected at most '
                f'{self.max_share:.2%} (QuarantineHook.max_share): {self._path} lists them'
            )

    def after_train(self, runner: Runner) -> None:
        """Say how many images the training went without.

        Args:
            runner: At the end of training.
        """
        if self._known:
            runner.logger.warning(f'{self._known} of {self._images} training images were skipped: {self._path}')


def _length(dataset: Any) -> int:
    """Count the images of a data set once, whatever repeats them."""
    if hasattr(dataset, 'datasets'):
        return sum(map(_length, dataset.datasets))
    return _length(dataset.dataset) if hasattr(dataset, 'dataset') else len(dataset)
