"""Suppression as part of an ONNX graph."""

from pathlib import Path
from typing import Any

from ssd_plugin.box_ops import VOTING_SIGMA
from ssd_plugin.errors import UserError

from .metadata import FileMetadata

# What the outputs of the network are called where suppression follows.
BEFORE_SUPPRESSION = ('network_bboxes', 'network_scores')
# Every class of an image is a group of its own (or all classes are one, where suppression is class-agnostic) of the
# best boxes of each class. The boxes that NonMaxSuppression chooses keep their scores, and the best fill the result.
_GRAPH = """
<ir_version: 8, opset_import: ["": 18]>
suppression (float[B, {priors}, 4] all_bboxes, float[B, {priors}, {classes}] all_scores)
    => (int64[B] num_dets, float[B, {dets}, 4] bboxes, float[B, {dets}] scores, int64[B, {dets}] labels)
<int64[1] per_class = {{{per_class}}}, int64 per_class_number = {{{per_class}}}, int64[1] dets = {{{dets}}},
 int64[1] group = {{{group}}}, int64[1] last = {{-1}}, int64 no_label = {{-1}}, int64[2] pairs = {{-1, {pairs}}},
 int64[3] pair_indices = {{-1, {pairs}, 1}}, int64[3] det_indices = {{-1, {dets}, 1}},
 int64[3] bbox_groups = {{-1, {group}, 4}}, int64[3] score_groups = {{-1, 1, {group}}},
 float[4] limits = {{{width}.0, {height}.0, {width}.0, {height}.0}}, float zero = {{0.0}},
 float iou_threshold = {{{iou_threshold!r}}}, float score_threshold = {{{score_threshold!r}}}>
{{
    by_class = Transpose<perm = [0, 2, 1]>(all_scores)
    best_scores, best_priors = TopK<axis = -1>(by_class, per_class)
    best_indices = Reshape(best_priors, pair_indices)
    candidates = GatherND<batch_dims = 1>(all_bboxes, best_indices)
    grouped_bboxes = Reshape(candidates, bbox_groups)
    grouped_scores = Reshape(best_scores, score_groups)
    chosen = NonMaxSuppression(grouped_bboxes, grouped_scores, group, iou_threshold, score_threshold)
    nothing = Mul(grouped_scores, zero)
    chosen_scores = GatherND(grouped_scores, chosen)
    kept_scores = ScatterND(nothing, chosen, chosen_scores)
    pair_scores = Reshape(kept_scores, pairs)
    scores, best_pairs = TopK<axis = -1>(pair_scores, dets)
    is_found = Greater(scores, zero)
    found_int = Cast<to = 7>(is_found)
    num_dets = ReduceSum<keepdims = 0>(found_int, last)
    pair_labels = Div(best_pairs, per_class_number)
    labels = Where(is_found, pair_labels, no_label)
    det_rows = Reshape(best_pairs, det_indices)
    unclipped = GatherND<batch_dims = 1>(candidates, det_rows)
    {voting}
    not_negative = Max({decided}, zero)
    clipped = Min(not_negative, limits)
    is_found_row = Unsqueeze(is_found, last)
    bboxes = Where(is_found_row, clipped, zero)
}}
"""

# Every detection against all candidates of its group; see ssd_plugin.box_ops.score_voting.
_VOTING = """
    group_number = Constant<value_int = {group}>()
    groups = Div(best_pairs, group_number)
    group_rows = Unsqueeze(groups, last)
    group_bboxes_shape = Constant<value_ints = [-1, {groups}, {group}, 4]>()
    group_scores_shape = Constant<value_ints = [-1, {groups}, {group}]>()
    bboxes_by_group = Reshape(candidates, group_bboxes_shape)
    scores_by_group = Reshape(best_scores, group_scores_shape)
    voters = GatherND<batch_dims = 1>(bboxes_by_group, group_rows)
    voter_scores = GatherND<batch_dims = 1>(scores_by_group, group_rows)
    before_last_axes = Constant<value_ints = [-2]>()
    voted_on = Unsqueeze(unclipped, before_last_axes)
    starts1, ends1 = Split<axis = -1, num_outputs = 2>(voted_on)
    starts2, ends2 = Split<axis = -1, num_outputs = 2>(voters)
    start = Max(starts1, starts2)
    end = Min(ends1, ends2)
    signed_sides = Sub(end, start)
    shared_sides = Relu(signed_sides)
    shared = ReduceProd<keepdims = 0>(shared_sides, last)
    sides1 = Sub(ends1, starts1)
    area1 = ReduceProd<keepdims = 0>(sides1, last)
    sides2 = Sub(ends2, starts2)
    area2 = ReduceProd<keepdims = 0>(sides2, last)
    areas = Add(area1, area2)
    joined = Sub(areas, shared)
    tiny = Constant<value_float = 1e-30>()
    safe_joined = Max(joined, tiny)
    overlap = Div(shared, safe_joined)
    one = Constant<value_float = 1.0>()
    distance = Sub(one, overlap)
    squared = Mul(distance, distance)
    falling = Constant<value_float = {falling!r}>()
    exponent = Mul(squared, falling)
    nearness = Exp(exponent)
    is_voter = Greater(voter_scores, score_threshold)
    counted = Where(is_voter, voter_scores, zero)
    weights = Mul(nearness, counted)
    weight_rows = Unsqueeze(weights, before_last_axes)
    weighted_rows = MatMul(weight_rows, voters)
    weighted = Squeeze(weighted_rows, before_last_axes)
    total = ReduceSum<keepdims = 1>(weights, last)
    voted = Div(weighted, total)
"""


def check_suppression(test_cfg: dict) -> None:
    """Refuse a suppression that the graph cannot do.

    Args:
        test_cfg: As :class:`FileMetadata` has it.

    Raises:
        UserError: It asks for more than the best of each class and greedy suppression.
    """
    # split_thr has no effect on the result.
    nms = {key: value for key, value in test_cfg['nms'].items() if key not in ('class_agnostic', 'split_thr')}
    asked = {'nms': nms} if nms['type'] != 'nms' or set(nms) - {'type', 'iou_threshold'} else {}
    asked.update({key: test_cfg[key] for key in ('nms_pre', 'min_bbox_size') if key in test_cfg})
    for key, value in asked.items():
        raise UserError(
            f'model.test_cfg.{key}: {value} cannot be part of an exported file, expected nms_pre_per_class and '
            "nms.type='nms' alone, or --nms outside"
        )


def suppression_graph(metadata: FileMetadata) -> Any:
    """Make the ONNX model that suppresses.

    Args:
        metadata: Of the file that it is for.

    Returns:
        The ModelProto: from boxes (B, N, 4) and scores (B, N, C) to the detections that the metadata describe.
    """
    from onnx import parser

    settings = metadata.test_cfg
    priors, classes = sum(metadata.level_priors), len(metadata.classes)
    per_class = min(settings['nms_pre_per_class'], priors) if settings['nms_pre_per_class'] > 0 else priors
    pairs = classes * per_class
    group = pairs if settings['nms'].get('class_agnostic', False) else per_class
    voting = _VOTING.format(group=group, groups=pairs // group, falling=-1 / VOTING_SIGMA)
    text = _GRAPH.format(
        voting=voting if settings.get('score_voting') else '',
        decided='voted' if settings.get('score_voting') else 'unclipped',
        priors=priors,
        classes=classes,
        per_class=per_class,
        pairs=pairs,
        group=group,
        dets=min(settings['max_per_img'], pairs) if settings['max_per_img'] > 0 else pairs,
        width=metadata.input_size[0],
        height=metadata.input_size[1],
        iou_threshold=float(settings['nms']['iou_threshold']),
        score_threshold=float(max(settings['score_thr'], 0)),
    )
    return parser.parse_model(text)


def add_suppression(path: Path, metadata: FileMetadata) -> None:
    """Put suppression behind the network of an ONNX file.

    Args:
        path: A file with the outputs of :class:`~ssd_plugin.deployment.network.ExportableSSD`; it is replaced.
        metadata: Of the file.
    """
    import onnx
    from onnx import compose

    network = onnx.load(str(path))
    suppression = suppression_graph(metadata)
    compose.add_prefix(suppression, 'suppression/', rename_inputs=False, rename_outputs=False, inplace=True)
    suppression.ir_version = network.ir_version
    inputs = [one.name for one in suppression.graph.input]
    joined = compose.merge_models(network, suppression, io_map=list(zip(BEFORE_SUPPRESSION, inputs)))
    onnx.checker.check_model(joined, full_check=True)
    onnx.save(joined, str(path))
