"""Report unusable annotations before training starts, when they can still be put right."""

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssd_plugin.registry import HOOKS


@HOOKS.register_module()
class AnnotationReportHook(Hook):
    """Look through the training annotations once, and log one warning line if boxes are unusable.

    The boxes themselves are left out by the transform ``ssd_plugin.SSDFilterBoxes`` (or by mmdet, from a COCO file).

    Args:
        allow_other_classes: Whether annotations may be of classes that the data set does not list, to train on some of
            its classes.
    """

    def __init__(self, allow_other_classes: bool = False) -> None:
        self.allow_other_classes = allow_other_classes

    def before_train(self, runner: Runner) -> None:
        """Look at the data set of the training loop, in the main process alone.

        Args:
            runner: Its training data is built.

        Raises:
            UserError: An annotation is of a class that the data set does not list.
        """
        if not is_main_process():
            return
        # Imports mmdet's data sets, which this module's importers can do without.
        from ssd_plugin.datasets.annotation_report import scan

        line = scan(runner.train_dataloader.dataset, self.allow_other_classes).line()
        if line is not None:
            runner.logger.warning(line)
