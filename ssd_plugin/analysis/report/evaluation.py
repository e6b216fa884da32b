"""Compare detections with the gt boxes of a data set, by pycocotools."""

import contextlib
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmdet.datasets.api_wrappers import COCO, COCOeval
from mmdet.evaluation import CocoMetric
from numpy.typing import NDArray

#: From this IoU on a detection finds an object, wherever the report says nothing else.
IOU = 0.5
#: What the columns of ``Evaluation.class_ap`` are, as in the COCO metric's table.
AP_COLUMNS = ('AP', 'AP50', 'AP75', 'AP small', 'AP medium', 'AP large')


@dataclass(frozen=True)
class Image:
    """An image of the data set.

    Attributes:
        path: Of the file.
        width: In pixels.
        height: In pixels.
    """

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class Boxes:
    """The gt boxes, or the detections, of all images.

    Attributes:
        image: (N,) index of the image.
        label: (N,) class, 0 .. C - 1.
        bbox: (N, 4) xyxy in pixels of the original image.
        score: (N,) 1 for gt boxes; detections are sorted by it, the best first.
        ignored: (N,) bool, neither right nor wrong: crowds and difficult objects, and detections that lie there.
        match: (N,) index of the detection or gt box that was matched with this one, -1 for none.
    """

    image: NDArray[np.int64]
    label: NDArray[np.int64]
    bbox: NDArray[np.float64]
    score: NDArray[np.float64]
    ignored: NDArray[np.bool_]
    match: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class Evaluation:
    """What a detector found in a data set.

    Attributes:
        classes: Names, C of them.
        images: In the order of the data set.
        objects: The gt boxes.
        detections: Matched with gt boxes of their class at an IoU of 0.5, by COCO's rule: the best scored first, each
            with the free object it overlaps most.
        ap: (6,) of :data:`AP_COLUMNS`, NaN where there is no object: COCO's average over the classes.
        class_ap: (C, 6), the same by class.
        precision: (C, 101) at recalls 0, 0.01, ..., 1 and an IoU of 0.5; NaN for a class without objects.
    """

    classes: tuple[str, ...]
    images: list[Image]
    objects: Boxes
    detections: Boxes
    ap: NDArray[np.float64]
    class_ap: NDArray[np.float64]
    precision: NDArray[np.float64]


def evaluate(metric: CocoMetric, dataset: Any, predictions: Sequence[dict[str, Any]]) -> Evaluation:
    """Match and measure all detections.

    Args:
        metric: Its annotation file, thresholds and limits are used, so that the AP is the one that it gives. Without
            an annotation file the gt boxes are those of the data set, as in the metric.
        dataset: mmdet's; has ``metainfo`` and ``get_data_info``.
        predictions: Per image ``img_id``, ``bboxes`` (D, 4) xyxy in pixels of the original image, ``scores`` and
            ``labels`` (D,), all numpy.

    Returns:
        The evaluation.
    """
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    metric.dataset_meta = dataset.metainfo
    number = {info['img_id']: index for index, info in enumerate(infos)}
    # pycocotools prints at every step.
    with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as folder:
        gt = metric._coco_api
        if gt is None:
            annotated = [dict(info, anns=info['instances']) for info in infos]
            gt = COCO(metric.gt_to_coco_json(annotated, f'{folder}/gt'))
            gt.dataset.setdefault('annotations', [])
        metric.cat_ids = gt.get_cat_ids(cat_names=dataset.metainfo['classes'])
        found = _as_coco(metric, gt, predictions)
        measured = _run(gt, found, metric.cat_ids, list(metric.proposal_nums), metric.iou_thrs)
        measured.accumulate()
        measured.summarize()
        matched = _run(gt, found, metric.cat_ids, [max(metric.proposal_nums)], np.array([IOU]), everything=True)
    matched_precision = _precision(matched)
    objects, detections = _matched_boxes(matched, gt, found, number, metric.cat_ids)
    return Evaluation(
        tuple(dataset.metainfo['classes']),
        [Image(info['img_path'], info['width'], info['height']) for info in infos],
        objects,
        detections,
        _known(np.asarray(measured.stats[:6])),
        _class_ap(measured),
        matched_precision,
    )


def _as_coco(metric: CocoMetric, gt: COCO, predictions: Sequence[dict[str, Any]]) -> COCO:
    rows = [
        dict(image_id=one['img_id'], category_id=metric.cat_ids[label], bbox=metric.xyxy2xywh(box), score=float(score))
        for one in predictions
        for label, box, score in zip(one['labels'], one['bboxes'], one['scores'])
    ]
    if rows:
        return gt.loadRes(rows)
    empty = COCO()  # which loadRes refuses to be
    empty.dataset = dict(gt.dataset, annotations=[])
    empty.createIndex()
    return empty


def _run(gt: COCO, found: COCO, cat_ids: list[int], limits: list[int], ious: Any, everything: bool = False) -> COCOeval:
    """Evaluate; with ``everything`` at objects of all sizes alone."""
    run = COCOeval(gt, found, 'bbox')
    run.params.catIds, run.params.maxDets, run.params.iouThrs = cat_ids, limits, ious
    if everything:
        run.params.areaRng, run.params.areaRngLbl = run.params.areaRng[:1], run.params.areaRngLbl[:1]
    run.evaluate()
    return run


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace COCO's -1, which says that there is no object, by NaN."""
    return np.where(values < 0, np.nan, values)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values[values > -1].mean()) if (values > -1).any() else np.nan


def _class_ap(run: COCOeval) -> NDArray[np.float64]:
    """Average as the COCO metric does for its table of classes."""
    precision = run.eval['precision']  # (IoU, recall, C, area, limit)
    ious = np.asarray(run.params.iouThrs)
    parts = [(slice(None), 0), (np.isclose(ious, 0.5), 0), (np.isclose(ious, 0.75), 0)]
    parts += [(slice(None), area) for area in (1, 2, 3)]
    return np.array(
        [[_mean(precision[at, :, label, area, -1]) for at, area in parts] for label in range(precision.shape[2])]
    ).reshape(-1, len(AP_COLUMNS))


def _precision(run: COCOeval) -> NDArray[np.float64]:
    with contextlib.redirect_stdout(io.StringIO()):
        run.accumulate()
    return _known(run.eval['precision'][0, :, :, 0, -1].T)


def _matched_boxes(
    run: COCOeval, gt: COCO, found: COCO, number: dict[Any, int], cat_ids: list[int]
) -> tuple[Boxes, Boxes]:
    """Lay out gt boxes and detections as arrays, with what pycocotools matched."""
    label = {cat_id: index for index, cat_id in enumerate(cat_ids)}
    # Annotations of classes that are not asked for, and of images that are not, are no objects.
    gt_anns = [a for a in gt.anns.values() if a['category_id'] in label and a['image_id'] in number]
    ranked = sorted(found.anns.values(), key=lambda a: -a['score'])
    gt_ind_of = {a['id']: index for index, a in enumerate(gt_anns)}
    place_of_found = {a['id']: index for index, a in enumerate(ranked)}
    object_match = np.full(len(gt_anns), -1)
    match = np.full(len(ranked), -1)
    ignored = np.ones(len(ranked), bool)  # those beyond the limit of an image are not evaluated
    for one in filter(None, run.evalImgs):
        for d, g, passed in zip(one['dtIds'], one['dtMatches'][0], one['dtIgnore'][0]):
            place = place_of_found[d]
            ignored[place] = passed
            if g > 0 and not passed:
                match[place] = gt_ind_of[g]
                object_match[gt_ind_of[g]] = place

    def boxes(rows: list[dict[str, Any]], ignored: NDArray[np.bool_], match: NDArray[np.int64]) -> Boxes:
        corners = np.array([row['bbox'] for row in rows], float).reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        return Boxes(
            np.array([number[row['image_id']] for row in rows], int),
            np.array([label[row['category_id']] for row in rows], int),
            corners,
            np.array([row.get('score', 1) for row in rows], float),
            ignored,
            match,
        )

    passed_over = np.array([bool(row.get('iscrowd')) for row in gt_anns], bool)
    return boxes(gt_anns, passed_over, object_match), boxes(ranked, ignored, match)
