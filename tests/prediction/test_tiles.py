"""Tiles with a detector that finds what a tile shows of each object, and nothing else."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from numpy.typing import NDArray

from ssd_plugin.prediction.tiles import merge, predict_tiles
from ssd_plugin.prediction.tiling import Tiling

NMS = {'type': 'nms', 'iou_threshold': 0.45}


class PerfectInferencer:
    """Reports the visible part of every object; an object is the pixels of one value, its class the value modulo 2.

    Args:
        scores: By value; 0.9 otherwise. A part scores that plus 0.05.
        unseen_below: Objects with a smaller share of the tile are too small for the network.
    """

    def __init__(self, scores: dict[int, float] = {}, unseen_below: float = 0, test_cfg: dict = {}) -> None:  # noqa: B006
        self.cfg = Config(dict(model=dict(test_cfg=test_cfg)))
        self.model = SimpleNamespace(dataset_meta={'classes': ('even', 'odd')})
        self.scores = scores
        self.unseen_below = unseen_below
        self.batches: list[list[tuple[int, ...]]] = []

    def pipeline(self, image: NDArray) -> NDArray:
        return image

    def collate_fn(self, images: Sequence[NDArray]) -> Sequence[NDArray]:
        return images

    def forward(self, images: Sequence[NDArray]) -> list[Any]:
        self.batches.append([image.shape[1::-1] for image in images])
        return [SimpleNamespace(pred_instances=self.find(image[..., 0])) for image in images]

    def find(self, image: NDArray) -> InstanceData:
        found = []
        for value in set(np.unique(image).tolist()) - {0}:
            y, x = np.nonzero(image == value)
            box = [x.min(), y.min(), x.max() + 1, y.max() + 1]
            part = box[0] == 0 or box[1] == 0 or box[2] == image.shape[1] or box[3] == image.shape[0]
            if (box[2] - box[0]) * (box[3] - box[1]) >= self.unseen_below * image.size:
                found.append((box, self.scores.get(value, 0.9) + 0.05 * part, value % 2))
        boxes, scores, labels = zip(*found) if found else ((), (), ())
        return InstanceData(
            bboxes=torch.tensor(np.array(boxes), dtype=torch.float32).reshape(-1, 4),
            scores=torch.tensor(scores, dtype=torch.float32),
            labels=torch.tensor(labels, dtype=torch.int64),
        )


def paint(width: int, height: int, boxes: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    image = np.zeros((height, width, 3), np.uint8)
    for value, (x1, y1, x2, y2) in enumerate(boxes, 1):
        image[y1:y2, x1:x2] = value
    return image


def objects(found: InstanceData) -> list[tuple[int, ...]]:
    return sorted(tuple(box) for box in found.bboxes.int().tolist())


def test_every_object_of_a_mosaic_is_found_once() -> None:
    random = np.random.default_rng(0)
    # One object at a random place of each of 6 x 5 cells of 50 pixels, at most as large as the overlap of 40.
    sizes, offsets = random.integers(5, 40, (30, 2)), random.random((30, 2))
    starts = np.stack(np.divmod(np.arange(30), 6)[::-1], 1) * 50 + (offsets * (50 - sizes)).astype(int)
    boxes = np.hstack([starts, starts + sizes])
    image = paint(300, 250, boxes)
    expected = sorted(map(tuple, boxes.tolist()))
    for tiling in (Tiling(160, 160, 0.25), Tiling(160, 160, 0.25, whole_image=False)):
        inferencer = PerfectInferencer(unseen_below=25 / 160**2)
        assert objects(predict_tiles(inferencer, image, tiling, 4)) == expected
    assert [len(batch) for batch in inferencer.batches] == [4, 2]  # 3 x 2 tiles
    assert len(inferencer.find(image[..., 0]).scores) < 30


def test_a_cut_object_gives_way_to_a_surer_and_to_a_less_sure_whole_one() -> None:
    # x from 100 to 180 of tiles of 160: [0, 160] sees 60 of its 80 pixels, [100, 260] all.
    image = paint(260, 100, [(100, 20, 180, 60)])
    for score in (0.3, 0.9):
        (box,) = objects(predict_tiles(PerfectInferencer({1: score}), image, Tiling(160, 100), 8))
        assert box == (100, 20, 180, 60)
    # The whole image shows it too; 30 of 80 pixels are covered by no more than their own box.
    assert objects(predict_tiles(PerfectInferencer(), paint(260, 100, [(130, 20, 210, 60)]), Tiling(160, 100), 8)) == [
        (130, 20, 210, 60)
    ]


def test_an_object_larger_than_any_tile_is_found_in_the_whole_image() -> None:
    image = paint(400, 400, [(20, 30, 390, 380)])
    assert objects(predict_tiles(PerfectInferencer(), image, Tiling(160, 160), 8)) == [(20, 30, 390, 380)]
    parts = objects(predict_tiles(PerfectInferencer(), image, Tiling(160, 160, whole_image=False), 8))
    assert len(parts) > 1


def found(*rows: tuple) -> InstanceData:
    boxes, scores, labels, cut = zip(*rows)
    return InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32),
        scores=torch.tensor(scores),
        labels=torch.tensor(labels),
        cut=torch.tensor(cut),
    )


WHOLE = (0, 0, 100, 100)
PART = (0, 0, 30, 100)


def test_what_covers_a_part() -> None:
    covered = [(WHOLE, 0.5, 0, False), (PART, 0.9, 0, True)]
    assert objects(merge(found(*covered), NMS)) == [WHOLE]
    both = sorted([WHOLE, PART])
    # A box inside another is its own object, unless a border cuts it.
    assert objects(merge(found(covered[0], (PART, 0.9, 0, False)), NMS)) == both
    assert objects(merge(found(covered[0], (PART, 0.9, 1, True)), NMS)) == both
    assert objects(merge(found((WHOLE, 0.4, 0, False), covered[1]), NMS)) == both
    assert objects(merge(found(covered[0], ((60, 0, 200, 100), 0.9, 0, True)), NMS)) == [WHOLE, (60, 0, 200, 100)]
    # A larger part does, too: a tile that shows more.
    assert objects(merge(found((WHOLE, 0.5, 0, True), covered[1]), NMS)) == [WHOLE]
    assert objects(merge(found(covered[0], (PART, 0.9, 1, True)), {**NMS, 'class_agnostic': True})) == [WHOLE]


def test_the_suppression_is_the_models() -> None:
    rows = [((0, 0, 10, 10), 0.5, 0, False), ((0, 0, 10, 6), 0.8, 0, False)]  # IoU 0.6
    for threshold, count in ((0.5, 1), (0.7, 2)):
        merged = merge(found(*rows), {'type': 'nms', 'iou_threshold': threshold})
        assert len(merged.scores) == count
        assert merged.scores[0] == torch.tensor(0.8)
    image = paint(300, 100, [(10, 10, 60, 60), (30, 30, 50, 50)])
    for threshold, count in ((0.45, 2), (0.1, 1)):  # IoU 0.16, of two classes
        test_cfg = dict(nms=dict(type='nms', iou_threshold=threshold, class_agnostic=True))
        merged = predict_tiles(PerfectInferencer(test_cfg=test_cfg), image, Tiling(100, 100, 0.5), 8)
        assert len(merged.scores) == count


def test_nothing_is_found_in_an_empty_image() -> None:
    merged = predict_tiles(PerfectInferencer(), paint(300, 300, []), Tiling(100, 100), 8)
    assert merged.bboxes.shape == (0, 4)
    assert len(merged.scores) == len(merged.labels) == 0
