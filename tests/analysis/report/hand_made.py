"""Gt boxes and detections written down by hand, evaluated."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.evaluation import CocoMetric

from ssd_plugin.analysis.report.evaluation import Evaluation, evaluate

CLASSES = ('cat', 'dog', 'owl')
# A gt box is (label, box) or (label, box, ignore flag), a detection (label, score, box).
Image = tuple[Sequence[tuple], Sequence[tuple]]


class HandMadeData:
    """What the report asks of a data set."""

    def __init__(self, images: Sequence[Image], classes: tuple[str, ...] = CLASSES) -> None:
        self.metainfo = {'classes': classes}
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def get_data_info(self, index: int) -> dict[str, Any]:
        instances = [
            dict(bbox_label=label, bbox=list(map(float, box)), ignore_flag=flag[0] if flag else 0)
            for label, box, *flag in self.images[index][0]
        ]
        return dict(img_id=f'{index}', img_path=f'{index}.jpg', width=200, height=100, instances=instances)


def predictions(images: Sequence[Image]) -> list[dict[str, Any]]:
    return [
        dict(
            img_id=f'{index}',
            labels=np.array([label for label, _, _ in found], int),
            scores=np.array([score for _, score, _ in found], np.float32),
            bboxes=np.array([box for _, _, box in found], np.float32).reshape(-1, 4),
        )
        for index, (_, found) in enumerate(images)
    ]


def evaluated(*images: Image, classes: tuple[str, ...] = CLASSES) -> Evaluation:
    return evaluate(CocoMetric(), HandMadeData(images, classes), predictions(images))
