"""Check the annotations of runs that tools other than ours start."""

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssd_plugin.registry import HOOKS


@HOOKS.register_module()
class AnnotationReportHook(Hook):
    """Refuse faulty training annotations, and warn of those that training leaves out, before the first step.

    ``tools/train.py`` checks them before anything is built, and drops this hook.

    Args:
        allow_other_classes: Whether annotations may be of classes that the data set does not list, to train on some of
            its classes. Read from the config by ``ssd_plugin.datasets.doctor.sources``.
    """

    def __init__(self, allow_other_classes: bool = False) -> None:
        self.allow_other_classes = allow_other_classes

    def before_train(self, runner: Runner) -> None:
        """Look at the training data, in the main process alone.

        Args:
            runner: Its ``cfg`` names the data.

        Raises:
            UserError: An annotation is faulty, or would need a repair, which only our tools make.
        """
        if not is_main_process():
            return
        # Imports mmdet's data sets, which this module's importers can do without.
        from ssd_plugin.datasets.doctor.check_annotations import check_annotations

        for line in check_annotations(runner.cfg, ('train_dataloader',), None).lines:
            runner.logger.warning(line)
