"""Detect with a file of tools/export.py --format onnx, by numpy and onnxruntime alone; OpenCV reads and resizes.

Example: python examples/onnx_numpy.py detector.onnx photograph.jpg --draw found.jpg
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime


def prepare(image, about):
    """(H, W, 3) uint8 BGR of any size to what the file takes."""
    image = cv2.resize(image, about['input_size'])
    if about['preprocess'] == 'outside':
        image = image[..., ::-1] if about['channel_order'] == 'RGB' else image
        image = ((image - np.float32(about['mean'])) / np.float32(about['std'])).transpose(2, 0, 1)
    return np.ascontiguousarray(image[None])


def suppress(bboxes, scores, threshold):
    """Indices of the boxes that no better one overlaps by more than the threshold."""
    order, kept = np.argsort(-scores, kind='stable'), []
    areas = (bboxes[:, 2:] - bboxes[:, :2]).prod(1)
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        sides = np.minimum(bboxes[best, 2:], bboxes[order, 2:]) - np.maximum(bboxes[best, :2], bboxes[order, :2])
        shared = sides.clip(0).prod(1)
        order = order[shared <= threshold * np.maximum(areas[best] + areas[order] - shared, 1e-12)]
    return kept


def detect(session, about, image):
    """Boxes (D, 4) xyxy in pixels of the image, scores (D,) and labels (D,), best first."""
    outputs = [part[0] for part in session.run(None, {'images': prepare(image, about)})]
    if about['nms'] == 'inside':
        bboxes, scores, labels = (part[: outputs[0]] for part in outputs[1:])
    else:
        found, test = [], about['test_cfg']
        assert not test['nms'].get('class_agnostic'), 'each class is suppressed by itself here'
        for label, of_class in enumerate(outputs[1].T):
            best = np.argsort(-of_class, kind='stable')[: test['nms_pre_per_class']]
            best = best[of_class[best] > test['score_thr']]
            best = best[suppress(outputs[0][best], of_class[best], test['nms']['iou_threshold'])]
            found += [(of_class[prior], prior, label) for prior in best]
        found = sorted(found, key=lambda one: -one[0])[: test['max_per_img']]
        scores, priors, labels = np.array(found).reshape(-1, 3).T
        bboxes = outputs[0][priors.astype(int)].clip(0, np.tile(about['input_size'], 2))
    factor = np.divide(image.shape[1::-1], about['input_size'])
    return bboxes * np.tile(factor, 2), scores, labels.astype(int)


if __name__ == '__main__':
    model, name, *draw = sys.argv[1:]
    session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])
    about = json.loads(session.get_modelmeta().custom_metadata_map['ssd_plugin'])
    image = cv2.imread(name)
    for bbox, score, label in zip(*detect(session, about, image.copy())):
        if score >= 0.3:
            print(f'{about["classes"][label]} {score:.3f}', *(f'{side:.1f}' for side in bbox))
            cv2.rectangle(image, bbox[:2].astype(int).tolist(), bbox[2:].astype(int).tolist(), (60, 60, 230), 2)
    if draw[:1] == ['--draw']:
        cv2.imwrite(draw[1], image)
