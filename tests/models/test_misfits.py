"""What does not fit together is one line when the model is built, with the entry to change."""

import pytest
from swapped import ASSIGNER, FPN, SSD_NECK, build

from ssd_plugin.errors import UserError

MISFITS = {
    'an assigner of batches for a head of images': (
        dict(neck=FPN, type='RetinaHead', assigner=ASSIGNER),
        r"^train_cfg\.assigner\.type: 'ssd_plugin.SSDAssigner' matches whole batches .*'RetinaHead'",
    ),
    'a misspelt keyword': (
        dict(loss_cls=dict(type='FocalLoss', gama=2)),
        r'^bbox_head\.loss_cls: FocalLoss refuses its settings \(TypeError: .*gama',
    ),
    'an assertion without a message': (
        dict(neck=FPN, anchor_generator=dict(type='YOLOAnchorGenerator', base_sizes=[[(8, 8)], [], []])),
        r'^bbox_head\.anchor_generator: YOLOAnchorGenerator refuses its settings \(AssertionError: assert num_anchor',
    ),
    'a backbone that cannot take the size': (
        dict(
            backbone=dict(
                type='HRNet',
                extra=dict(
                    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,), num_channels=(8,)),
                    stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1), num_channels=(8, 16)),
                    stage3=dict(
                        num_modules=1, num_branches=3, block='BASIC', num_blocks=(1,) * 3, num_channels=(8, 16, 32)
                    ),
                    stage4=dict(
                        num_modules=1, num_branches=4, block='BASIC', num_blocks=(1,) * 4, num_channels=(8, 16, 32, 64)
                    ),
                ),
            ),
            side=100,
        ),
        r'^model: HRNet cannot take 100x100 \(RuntimeError.*multiples of 32',
    ),
    'levels of other widths for one number': (
        dict(neck=SSD_NECK, type='RetinaHead'),
        r'^bbox_head\.type: RetinaHead takes maps of one width',
    ),
    'an assigner of another head': (
        dict(assigner=dict(type='GridAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5)),
        r'^train_cfg\.assigner: Grid',
    ),
    'a test setting that nobody reads': (
        dict(test_cfg=dict(score_threshold=0.5)),
        r'^test_cfg\.score_threshold: unknown',
    ),
    'shared convolutions on levels that differ': (dict(share_conv=True), r'^bbox_head\.share_conv: True with'),
}


@pytest.mark.parametrize('name', MISFITS)
def test_what_does_not_fit_is_one_line_at_the_build(name):
    settings, message = MISFITS[name]
    with pytest.raises(UserError, match=message) as caught:
        build(**settings)
    assert '\n' not in str(caught.value)
