"""Give a validation or test without any detection its figure."""

from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssd_plugin.registry import HOOKS


@HOOKS.register_module()
class NoDetectionsHook(Hook):
    """Complete the figures of mmdet's ``CocoMetric`` where nothing was detected: the average precision is 0.

    The metric then gives no figures at all, and ``CheckpointHook(save_best='coco/bbox_mAP')`` ends the run.
    """

    priority = 'HIGHEST'  # before those that log the figures, and those that save the best checkpoint

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Add what is missing.

        Args:
            runner: In training.
            metrics: The figures of all metrics; changed in place.
        """
        _complete(runner.val_evaluator.metrics, metrics)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Add what is missing, as after a validation."""
        _complete(runner.test_evaluator.metrics, metrics)


def _complete(sources: list[BaseMetric], metrics: dict[str, float]) -> None:
    # Imports mmdet, which this module's importers can do without.
    from mmdet.evaluation import CocoMetric

    for metric in sources:
        if isinstance(metric, CocoMetric) and not metric.format_only:
            for kind in set(metric.metrics) & {'bbox', 'segm'}:
                for item in metric.metric_items or ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l'):
                    metrics.setdefault(f'{metric.prefix}/{kind}_{item}', 0.0)
