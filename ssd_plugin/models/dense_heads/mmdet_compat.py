"""mmdet's own SSD settings in our terms, so that its configs run unchanged with our head."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ssd_plugin.errors import UserError

# mmdet's SSD has these beside the three parts; the value is the only one that SSD can mean, None any.
_MMDET_KEYS = dict(neg_pos_ratio=None, smoothl1_beta=None, allowed_border=-1, pos_weight=-1, debug=False)
_PSEUDO_SAMPLERS = ('PseudoSampler', 'mmdet.PseudoSampler')
# Same numbers; see the class.
_CODERS = dict.fromkeys(('DeltaXYWHBBoxCoder', 'mmdet.DeltaXYWHBBoxCoder'), 'ssd_plugin.DeltaBoxCoder')


class TrainParts(NamedTuple):
    """Configs of the parts that training needs."""

    assigner: dict
    sampler: Optional[dict]
    loss: dict


def translate_train_cfg(
    train_cfg: Mapping[str, Any], loss_cls: Optional[dict], loss_bbox: Optional[dict]
) -> TrainParts:
    """Read a head's ``train_cfg``, ours or mmdet's.

    Ours holds ``assigner``, ``sampler`` (None: no mining) and ``loss``. mmdet's holds ``neg_pos_ratio``, which mines,
    and ``smoothl1_beta``; its N counts at least one positive for every image.

    Raises:
        UserError: A setting that has no counterpart here, or is said twice.
    """
    known = (*TrainParts._fields, *_MMDET_KEYS)
    for key, value in train_cfg.items():
        if key not in known:
            raise UserError(f'train_cfg.{key}: unknown, expected some of {known}')
        expected = _MMDET_KEYS.get(key)
        if expected is not None and value != expected:
            ours = '; SSDAssigner has ignore_cross_boundary=True' if key == 'allowed_border' else ''
            raise UserError(f'train_cfg.{key}: {value}, expected {expected}{ours}')
    sampler = train_cfg.get('sampler')
    if sampler is not None and sampler['type'] in _PSEUDO_SAMPLERS:
        sampler = None
    loss = {'type': 'ssd_plugin.MultiBoxLoss', **(train_cfg.get('loss') or {})}
    if 'neg_pos_ratio' in train_cfg:
        if sampler is not None:
            raise UserError('train_cfg.neg_pos_ratio: given beside train_cfg.sampler, expected one of the two')
        sampler = dict(type='ssd_plugin.HardNegativeSampler', neg_pos_ratio=train_cfg['neg_pos_ratio'])
        loss.setdefault('floor_per_image', True)
    if 'smoothl1_beta' in train_cfg:
        if loss_bbox is not None:
            raise UserError('train_cfg.smoothl1_beta: given beside bbox_head.loss_bbox, expected one of the two')
        loss_bbox = dict(type='mmdet.SmoothL1Loss', beta=train_cfg['smoothl1_beta'])
    for key, config in (('loss_cls', loss_cls), ('loss_bbox', loss_bbox)):
        if config is not None and loss.setdefault(key, config) is not config:
            raise UserError(f'train_cfg.loss.{key}: given beside bbox_head.{key}, expected one of the two')
    assigner = train_cfg.get('assigner') or dict(type='ssd_plugin.SSDAssigner')
    return TrainParts(assigner, sampler, loss)


def translate_bbox_coder(config: Optional[Mapping[str, Any]]) -> dict[str, Any]:
    """Replace mmdet's own box coder by ours.

    Args:
        config: ``None``: centre-size deltas, variances (0.1, 0.1, 0.2, 0.2), boxes not clipped before suppression.
    """
    if config is None:
        return dict(type='ssd_plugin.DeltaBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2), clip_border=False)
    return {**config, 'type': _CODERS.get(config['type'], config['type'])}
