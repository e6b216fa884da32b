"""The authors' computation (Caffe), written out in loops: one image, one box, one class at a time.

As theirs, it counts the background as class 0 and measures boxes as fractions of the image. Boxes are
(xmin, ymin, xmax, ymax). Nothing of the package is used.
"""

import math

import numpy as np

VARIANCES = (0.1, 0.1, 0.2, 0.2)


def size_pairs(dim, low, high, first, levels):
    """(min, max) in pixels of every level; scales in whole percent (examples/ssd/ssd_pascal.py)."""
    step = math.floor((high - low) / (levels - 2))
    pairs = [(dim * first / 100, dim * low / 100)]
    for ratio in range(low, high + 1, step):
        pairs.append((dim * ratio / 100, dim * (ratio + step) / 100))
    return pairs


def default_boxes(width, height, maps, steps, pairs, ratios):
    """PriorBoxLayer: rows, then columns, then the shapes of a cell; sizes are cut to whole pixels."""
    boxes = []
    for (rows, columns), step, (minimum, maximum), aspects in zip(maps, steps, pairs, ratios):
        minimum, maximum = int(minimum), int(maximum)
        shapes = [(minimum, minimum), (math.sqrt(minimum * maximum),) * 2]
        for aspect in aspects:
            for flipped in (aspect, 1 / aspect):
                shapes.append((minimum * math.sqrt(flipped), minimum / math.sqrt(flipped)))
        for y in range(rows):
            for x in range(columns):
                centre_x, centre_y = (x + 0.5) * step, (y + 0.5) * step
                for w, h in shapes:
                    boxes.append(
                        (
                            (centre_x - w / 2) / width,
                            (centre_y - h / 2) / height,
                            (centre_x + w / 2) / width,
                            (centre_y + h / 2) / height,
                        )
                    )
    return boxes


def overlap(a, b):
    """JaccardOverlap."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def match(priors, gt_bboxes, ignore_cross_boundary=False):
    """MatchBBox: the object of every default box, -1 for none, -2 for a box that crosses the border."""
    matched = [-1] * len(priors)
    overlaps = {}
    for i, prior in enumerate(priors):
        if ignore_cross_boundary and (min(prior) < 0 or max(prior) > 1):
            matched[i] = -2
            continue
        for j, gt_bbox in enumerate(gt_bboxes):
            value = overlap(prior, gt_bbox)
            if value > 1e-6:
                overlaps[i, j] = value

    pool = list(range(len(gt_bboxes)))
    while pool:
        best, best_pair = -1, None
        for i in range(len(priors)):
            if matched[i] != -1:
                continue
            for j in pool:
                if overlaps.get((i, j), -1) > best:
                    best, best_pair = overlaps[i, j], (i, j)
        if best_pair is None:
            break
        matched[best_pair[0]] = best_pair[1]
        pool.remove(best_pair[1])

    for i in range(len(priors)):
        if matched[i] != -1:
            continue
        best = -1
        for j in range(len(gt_bboxes)):
            value = overlaps.get((i, j), -1)
            if value >= 0.5 and value > best:
                best, matched[i] = value, j
    return matched


def centre(box):
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]


def encode(prior, gt_bbox):
    """EncodeBBox, CENTER_SIZE."""
    px, py, pw, ph = centre(prior)
    tx, ty, tw, th = centre(gt_bbox)
    raw = ((tx - px) / pw, (ty - py) / ph, math.log(tw / pw), math.log(th / ph))
    return [value / variance for value, variance in zip(raw, VARIANCES)]


def decode(prior, delta):
    """DecodeBBox, CENTER_SIZE, unclipped."""
    px, py, pw, ph = centre(prior)
    dx, dy, dw, dh = (value * variance for value, variance in zip(delta, VARIANCES))
    x, y, w, h = px + dx * pw, py + dy * ph, pw * math.exp(dw), ph * math.exp(dh)
    return (x - w / 2, y - h / 2, x + w / 2, y + h / 2)


def softmax(values):
    powers = [math.exp(value - max(values)) for value in values]
    return [power / sum(powers) for power in powers]


def multibox_loss(priors, images, ignore_cross_boundary=False):
    """MultiBoxLossLayer of a batch on one device.

    Args:
        priors: Default boxes.
        images: Per image class logits (N, 1 + C), predicted deltas (N, 4), gt_bboxes and their classes 1..C.

    Returns:
        Confidence loss, localisation loss, and the default boxes in the confidence loss, per image.
    """
    confidence = location = 0.0
    matches = 0
    chosen = []
    for logits, deltas, gt_bboxes, classes in images:
        matched = match(priors, gt_bboxes, ignore_cross_boundary)
        positives = [i for i, j in enumerate(matched) if j >= 0]
        eligible = [i for i, j in enumerate(matched) if j == -1]
        background_loss = {i: -math.log(softmax(logits[i])[0]) for i in eligible}
        count = min(int(len(positives) * 3.0), len(eligible))
        negatives = sorted(eligible, key=lambda i: background_loss[i], reverse=True)[:count]
        for i in positives:
            confidence -= math.log(softmax(logits[i])[classes[matched[i]]])
            for predicted, target in zip(deltas[i], encode(priors[i], gt_bboxes[matched[i]])):
                error = abs(predicted - target)
                location += 0.5 * error * error if error < 1 else error - 0.5
        for i in negatives:
            confidence += background_loss[i]
        matches += len(positives)
        chosen.append(sorted(positives + negatives))
    normaliser = max(1, matches)
    return confidence / normaliser, 1.0 * location / normaliser, chosen


def detections(priors, logits, deltas, threshold=0.01, top_k=400, nms=0.45, keep_top_k=200):
    """DetectionOutputLayer of one image: (class, score, box), best first; boxes are clipped last."""
    boxes = [decode(prior, delta) for prior, delta in zip(priors, deltas)]
    scores = [softmax(row) for row in logits]
    found = []
    for label in range(1, len(logits[0])):
        above = [i for i in range(len(priors)) if scores[i][label] > threshold]
        above.sort(key=lambda i: scores[i][label], reverse=True)
        kept = []
        for i in above[:top_k]:
            if all(overlap(boxes[i], boxes[j]) <= nms for j in kept):
                kept.append(i)
        found += [(label, scores[i][label], boxes[i]) for i in kept]
    found.sort(key=lambda detection: detection[1], reverse=True)
    return [(label, score, np.clip(box, 0, 1)) for label, score, box in found[:keep_top_k]]


def normalize(values, scales):
    """NormalizeLayer over channels: values (C, H, W), one scale a channel."""
    out = np.empty_like(values)
    for y in range(values.shape[1]):
        for x in range(values.shape[2]):
            vector = values[:, y, x]
            out[:, y, x] = scales * vector / math.sqrt(1e-10 + sum(vector * vector))
    return out
