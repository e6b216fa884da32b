import pytest

from ssd_plugin.errors import UserError
from ssd_plugin.models.dense_heads.mmdet_compat import TrainParts, translate_bbox_coder, translate_train_cfg

MMDET = dict(
    assigner=dict(
        type='MaxIoUAssigner',
        pos_iou_thr=0.5,
        neg_iou_thr=0.5,
        min_pos_iou=0.0,
        ignore_iof_thr=-1,
        gt_max_assign_all=False,
    ),
    sampler=dict(type='PseudoSampler'),
    smoothl1_beta=1.0,
    allowed_border=-1,
    pos_weight=-1,
    neg_pos_ratio=3,
    debug=False,
)


def test_mmdets_settings():
    assert translate_train_cfg(MMDET, None, None) == TrainParts(
        assigner=MMDET['assigner'],
        sampler=dict(type='ssd_plugin.HardNegativeSampler', neg_pos_ratio=3),
        loss=dict(
            type='ssd_plugin.MultiBoxLoss', floor_per_image=True, loss_bbox=dict(type='mmdet.SmoothL1Loss', beta=1.0)
        ),
    )


def test_our_settings_pass_through():
    given = dict(
        assigner=dict(type='ssd_plugin.SSDAssigner', pos_iou_thr=0.4),
        sampler=dict(type='ssd_plugin.HardNegativeSampler', min_negatives=8),
        loss=dict(alpha=2),
    )
    focal = dict(type='FocalLoss')
    parts = translate_train_cfg(given, focal, None)
    assert parts._asdict() == {**given, 'loss': {'type': 'ssd_plugin.MultiBoxLoss', 'alpha': 2, 'loss_cls': focal}}
    assert given['loss'] == dict(alpha=2)


@pytest.mark.parametrize('sampler', [{}, dict(sampler=None), dict(sampler=dict(type='PseudoSampler'))])
def test_without_a_sampler_every_prior_counts(sampler):
    parts = translate_train_cfg(sampler, None, None)
    assert parts == TrainParts(
        assigner=dict(type='ssd_plugin.SSDAssigner'), sampler=None, loss=dict(type='ssd_plugin.MultiBoxLoss')
    )


@pytest.mark.parametrize(
    ('train_cfg', 'message'),
    [
        (dict(neg_pos_ration=3), r'train_cfg\.neg_pos_ration: unknown, expected some of'),
        ({**MMDET, 'allowed_border': 0}, r'train_cfg\.allowed_border: 0, expected -1; .*ignore_cross_boundary=True'),
        ({**MMDET, 'pos_weight': 2}, r'train_cfg\.pos_weight: 2, expected -1$'),
        ({**MMDET, 'sampler': dict(type='RandomSampler')}, r'train_cfg\.neg_pos_ratio: given beside'),
    ],
)
def test_settings_without_counterpart_are_refused(train_cfg, message):
    with pytest.raises(UserError, match=message):
        translate_train_cfg(train_cfg, None, None)


def test_a_loss_is_said_once():
    l1 = dict(type='L1Loss')
    with pytest.raises(UserError, match=r'train_cfg\.smoothl1_beta: given beside bbox_head\.loss_bbox'):
        translate_train_cfg(MMDET, None, l1)
    with pytest.raises(UserError, match=r'train_cfg\.loss\.loss_bbox: given beside bbox_head\.loss_bbox'):
        translate_train_cfg(dict(loss=dict(type='ssd_plugin.MultiBoxLoss', loss_bbox=dict(l1))), None, l1)


def test_box_coders():
    stds = (0.1, 0.1, 0.2, 0.2)
    assert translate_bbox_coder(None) == dict(type='ssd_plugin.DeltaBoxCoder', target_stds=stds, clip_border=False)
    mmdets = dict(type='DeltaXYWHBBoxCoder', target_means=(0, 0, 0, 0), target_stds=stds)
    assert translate_bbox_coder(mmdets) == {**mmdets, 'type': 'ssd_plugin.DeltaBoxCoder'}
    assert translate_bbox_coder(dict(type='PointCoder')) == dict(type='PointCoder')
