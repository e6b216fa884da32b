"""mmdet's own SSD settings, said in our terms, so that its configs run unchanged with our head."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

ASSIGNER = 'ssd_plugin.SSDAssigner'


# Same numbers; see the class.
CODERS = dict.fromkeys(('DeltaXYWHBBoxCoder', 'mmdet.DeltaXYWHBBoxCoder'), 'ssd_plugin.DeltaBoxCoder')


class TrainingParts(NamedTuple):
    """Configs of the three parts that the training loss needs."""

    assigner: dict[str, Any]
    sampler: dict[str, Any]
    loss: dict[str, Any]


def training_parts(train_cfg: Mapping[str, Any]) -> TrainingParts:
    """Read a head's ``train_cfg``, ours or mmdet's.

    Ours holds ``assigner``, ``sampler`` and ``loss`` with our types. mmdet's holds a ``MaxIoUAssigner`` and the keys
    ``neg_pos_ratio``, ``smoothl1_beta``; it means overwriting instead of bipartite matching, and an N with at least one
    for every image.

    Raises:
        ValueError: A setting that has no counterpart here.
    """
    assigner = dict(train_cfg.get('assigner', dict(type=ASSIGNER)))
    if assigner['type'] not in ('MaxIoUAssigner', 'mmdet.MaxIoUAssigner'):
        return TrainingParts(
            assigner=assigner,
            sampler=dict(train_cfg.get('sampler', dict(type='ssd_plugin.HardNegativeSampler'))),
            loss=dict(train_cfg.get('loss', dict(type='ssd_plugin.MultiBoxLoss'))),
        )
    only = dict(gt_max_assign_all=False, match_low_quality=True, ignore_wrt_candidates=True)
    for name, value in only.items():
        found = assigner.get(name, True if name == 'gt_max_assign_all' else value)
        if found != value:
            raise ValueError(f'train_cfg.assigner.{name}={found}, expected {value}: SSD has no other way')
    if train_cfg.get('allowed_border', -1) != -1:
        raise ValueError(
            f'train_cfg.allowed_border={train_cfg["allowed_border"]}, expected -1; to leave boundary boxes out use '
            f"assigner=dict(type='{ASSIGNER}', ignore_cross_boundary=True)"
        )
    return TrainingParts(
        assigner=dict(
            type=ASSIGNER,
            matching='argmax',
            pos_iou_thr=assigner['pos_iou_thr'],
            neg_iou_thr=assigner['neg_iou_thr'],
            min_pos_iou=assigner.get('min_pos_iou', 0.0),
            ignore_iof_thr=assigner.get('ignore_iof_thr', -1),
        ),
        sampler=dict(type='ssd_plugin.HardNegativeSampler', neg_pos_ratio=train_cfg.get('neg_pos_ratio', 3)),
        loss=dict(type='ssd_plugin.MultiBoxLoss', beta=train_cfg.get('smoothl1_beta', 1.0), floor_per_image=True),
    )


def box_coder(config: Optional[Mapping[str, Any]]) -> dict[str, Any]:
    """Config of the box coder, mmdet's own replaced by ours.

    Args:
        config: ``None``: centre-size deltas, variances (0.1, 0.1, 0.2, 0.2), boxes not clipped before suppression.
    """
    if config is None:
        return dict(type='ssd_plugin.DeltaBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2), clip_border=False)
    return {**config, 'type': CODERS.get(config['type'], config['type'])}
