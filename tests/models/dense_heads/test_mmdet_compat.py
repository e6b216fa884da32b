import pytest

from ssd_plugin.models.dense_heads.mmdet_compat import box_coder, training_parts

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
    parts = training_parts(MMDET)
    assert parts.assigner == dict(
        type='ssd_plugin.SSDAssigner',
        matching='argmax',
        pos_iou_thr=0.5,
        neg_iou_thr=0.5,
        min_pos_iou=0.0,
        ignore_iof_thr=-1,
    )
    assert parts.sampler == dict(type='ssd_plugin.HardNegativeSampler', neg_pos_ratio=3)
    assert parts.loss == dict(type='ssd_plugin.MultiBoxLoss', beta=1.0, floor_per_image=True)


def test_our_settings_pass_through():
    given = dict(
        assigner=dict(type='ssd_plugin.SSDAssigner', pos_iou_thr=0.4),
        sampler=dict(type='ssd_plugin.HardNegativeSampler', min_negatives=8),
        loss=dict(type='ssd_plugin.MultiBoxLoss', alpha=2),
    )
    assert training_parts(given)._asdict() == given


def test_what_is_left_out_is_the_authors():
    parts = training_parts({})
    assert [part['type'] for part in parts] == [
        'ssd_plugin.SSDAssigner',
        'ssd_plugin.HardNegativeSampler',
        'ssd_plugin.MultiBoxLoss',
    ]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(gt_max_assign_all=True), 'gt_max_assign_all=True'),
        (dict(match_low_quality=False), 'match_low_quality=False'),
        (dict(ignore_wrt_candidates=False), 'ignore_wrt_candidates=False'),
    ],
)
def test_assigner_settings_without_counterpart(change, message):
    with pytest.raises(ValueError, match=message):
        training_parts({**MMDET, 'assigner': {**MMDET['assigner'], **change}})


def test_allowed_border_names_our_switch():
    with pytest.raises(ValueError, match='ignore_cross_boundary=True'):
        training_parts({**MMDET, 'allowed_border': 0})


def test_box_coders():
    stds = (0.1, 0.1, 0.2, 0.2)
    assert box_coder(None) == dict(type='ssd_plugin.DeltaBoxCoder', target_stds=stds, clip_border=False)
    mmdets = dict(type='DeltaXYWHBBoxCoder', target_means=(0, 0, 0, 0), target_stds=stds)
    assert box_coder(mmdets) == {**mmdets, 'type': 'ssd_plugin.DeltaBoxCoder'}
    assert box_coder(dict(type='PointCoder')) == dict(type='PointCoder')
