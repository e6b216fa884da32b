"""Mean average precision of VOC2007 as the authors compute it."""

from typing import Any, Optional

import numpy as np
from mmdet.evaluation import VOCMetric
from mmdet.evaluation.functional import eval_map
from mmdet.evaluation.functional.mean_ap import print_map_summary
from mmengine.logging import MMLogger

from ssd_plugin.registry import METRICS


def eleven_point_ap(recalls: np.ndarray, precisions: np.ndarray) -> float:
    """Average the best precision at recalls of at least 0, 0.1, ..., 1.

    Whether a recall of 3 in 10 reaches 0.3 is up to rounding. The authors divide in float32 and compare with j / 10 in
    float64, so that 0.3 and 0.6 are reached, 0.7 and 0.9 are not. mmdet compares float64 with multiples of 0.1, so that
    0.3, 0.6 and 0.7 are not reached; in a class of 10 objects that is up to 1/11 of AP for each of them.

    Args:
        recalls: (D,) recall after each detection, best detection first.
        precisions: (D,) precision after each detection.

    Source: ``weiliu89/caffe: src/caffe/util/bbox_util.cpp`` (ComputeAP, "11point").
    """
    reached = recalls.astype(np.float32).astype(np.float64)
    return sum(precisions[reached >= j / 10].max(initial=0) for j in range(11)) / 11


@METRICS.register_module()
class VOC07Metric(VOCMetric):
    """Compute the 11-point AP of VOC2007 with the authors' comparison of recalls.

    mmdet's ``VOCMetric`` otherwise: IoU with the +1 pixel, difficult objects count neither way.

    Args:
        iou_thr: IoU from which a detection finds its object.
        collect_device: 'cpu' or 'gpu', over which processes exchange their detections.
        prefix: In front of the figures' names.

    Source: docs/fidelity.md section 7.
    """

    def __init__(self, iou_thr: float = 0.5, collect_device: str = 'cpu', prefix: Optional[str] = None) -> None:
        super().__init__(iou_thrs=iou_thr, eval_mode='11points', collect_device=collect_device, prefix=prefix)
        self.iou_thr = iou_thr

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Measure all images.

        Args:
            results: What ``process`` kept of all images.

        Returns:
            ``mAP`` over the classes that have objects, and the same rounded under the name of the threshold, as mmdet.
        """
        annotations, detections = zip(*results)
        _, classes = eval_map(
            detections, annotations, iou_thr=self.iou_thr, logger='silent', use_legacy_coordinate=True
        )
        for measured in classes:
            measured['ap'] = eleven_point_ap(measured['recall'], measured['precision'])
        present = [measured['ap'] for measured in classes if measured['num_gts'] > 0]
        mean_ap = float(np.mean(present)) if present else 0.0
        assert self.dataset_meta is not None
        logger = MMLogger.get_current_instance()
        print_map_summary(mean_ap, classes, self.dataset_meta['classes'], logger=logger)
        return {'mAP': mean_ap, f'AP{int(self.iou_thr * 100):02d}': round(mean_ap, 3)}
