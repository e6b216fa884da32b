"""Warn of annotations that training leaves out, and check them where another tool than ours starts the run."""

from typing import Optional

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssd_plugin.registry import HOOKS


@HOOKS.register_module()
class AnnotationReportHook(Hook):
    """Refuse faulty training annotations, and warn of those that training leaves out, before the first step.

    ``tools/train.py`` has then checked them already, before anything was built, and given this hook its ``lines``.

    Args:
        allow_other_classes: Whether annotations may be of classes that the data set does not list, to train on some of
            its classes. Read from the config by ``ssd_plugin.datasets.doctor.sources``.
    """

    def __init__(self, allow_other_classes: bool = False) -> None:
        self.allow_other_classes = allow_other_classes
        self.lines: Optional[list[str]] = None

    def before_train(self, runner: Runner) -> None:
        """Log the warnings, in the main process alone.

        Args:
            runner: Its ``cfg`` names the data.

        Raises:
            UserError: An annotation is faulty, or would need a repair, which only our tools make.
        """
        if not is_main_process():
            return
        if self.lines is None:
            # Imports mmdet's data sets, which this module's importers can do without.
            from ssd_plugin.datasets.doctor.check_annotations import check_annotations

            self.lines = check_annotations(runner.cfg, ('train_dataloader',), None).lines
        for line in self.lines:
            runner.logger.warning(line)
