"""Every part that a config may swap: it is built, learns and predicts."""

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import ConfigDict
from swapped import FPN, MINING, POINT_PRIORS, RESNET, SIDE, SSD_NECK, build, learn_and_predict

from ssd_plugin.errors import UserError
from ssd_plugin.mmcv_ops import has_compiled_ops

LOSSES = {
    'focal': dict(loss_cls=dict(type='FocalLoss')),
    'quality focal': dict(loss_cls=dict(type='QualityFocalLoss')),
    'varifocal': dict(loss_cls=dict(type='VarifocalLoss')),
    'sigmoid cross-entropy': dict(loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True)),
    'giou': dict(loss_bbox=dict(type='GIoULoss')),
    'ciou': dict(loss_bbox=dict(type='CIoULoss')),
    'l1': dict(loss_bbox=dict(type='L1Loss')),
    'varifocal and giou': dict(loss_cls=dict(type='VarifocalLoss'), loss_bbox=dict(type='GIoULoss', loss_weight=2.0)),
}


@pytest.mark.parametrize('sampler', [MINING, None], ids=['mined', 'all'])
@pytest.mark.parametrize('name', LOSSES)
def test_losses(name, sampler):
    torch.manual_seed(0)
    detector = build(sampler=sampler, **LOSSES[name])
    sigmoid = 'loss_cls' in LOSSES[name]
    assert detector.bbox_head.cls_convs[0][0].out_channels == 4 * (3 if sigmoid else 4)
    assert learn_and_predict(detector)[1] == []


ASSIGNERS = {
    'MaxIoUAssigner': dict(pos_iou_thr=0.5, neg_iou_thr=0.4),
    'ATSSAssigner': dict(topk=9),
    'SimOTAAssigner': {},
    'DynamicSoftLabelAssigner': dict(topk=13),
    'TaskAlignedAssigner': dict(topk=13),
}


@pytest.mark.parametrize('name', ASSIGNERS)
@pytest.mark.parametrize('loss', ['softmax', 'quality focal'])
def test_assigners(name, loss):
    torch.manual_seed(0)
    learn_and_predict(build(assigner=dict(type=name, **ASSIGNERS[name]), sampler=None, **LOSSES.get(loss, {})))


NECKS = {
    'none': None,
    'FPN': FPN,
    'PAFPN': dict(type='PAFPN', out_channels=32),
    'CSPNeXtPAFPN': dict(type='CSPNeXtPAFPN', out_channels=32, num_csp_blocks=1),
    'ChannelMapper': dict(type='ChannelMapper', out_channels=32),
    'FPN and BFP': [FPN, dict(type='BFP', refine_level=1)],
    'FPN and extra layers': [FPN, SSD_NECK],
    'SSDNeck of mmdet': dict(type='SSDNeck', l2_norm_scale=20),
    'SSDNeck with batch norm': dict(SSD_NECK, norm_cfg=dict(type='BN')),
}


@pytest.mark.parametrize('name', NECKS)
def test_necks(name):
    torch.manual_seed(0)
    detector = build(neck=NECKS[name])
    assert len(detector.map_sizes) == (4 if 'SSDNeck' in name or 'extra' in name else 3)
    assert learn_and_predict(detector)[1] == []


@pytest.mark.parametrize('kind', ['ssd_plugin.SSDNeck', 'SSDNeck'])
def test_steps_do_not_depend_on_whose_neck_it_is(kind):
    with torch.device('meta'):
        detector = MODELS.build(
            dict(
                type='ssd_plugin.SSD',
                backbone=dict(type='ssd_plugin.SSDVGG'),
                neck=dict(type=kind),
                bbox_head=dict(type='ssd_plugin.SSDHead'),
                input_size=300,
            )
        )
    assert [step for step, _ in detector.bbox_head.prior_generator.strides] == [8, 16, 32, 64, 100, 300]


GENERATORS = {
    'AnchorGenerator': dict(type='AnchorGenerator', scales=[2, 4], ratios=[0.5, 1.0, 2.0]),
    'YOLOAnchorGenerator': dict(
        type='YOLOAnchorGenerator', base_sizes=[[(8, 8), (12, 16)], [(20, 30), (30, 20)], [(60, 60)] * 2]
    ),
}


@pytest.mark.parametrize('name', GENERATORS)
def test_anchor_generators(name):
    torch.manual_seed(0)
    detector = build(neck=FPN, anchor_generator=GENERATORS[name])
    assert learn_and_predict(detector)[1] == []
    assert 'Default boxes' in detector.describe()


def test_mmdets_generator_lays_the_same_boxes():
    theirs = dict(
        type='SSDAnchorGenerator',
        basesize_ratio_range=(0.15, 0.9),
        ratios=[[2], [2, 3], [2, 3], [2, 3], [2], [2]],
        scale_major=False,
    )
    maps = [(38, 38), (19, 19), (10, 10), (5, 5), (3, 3), (1, 1)]
    boxes = []
    for generator in (theirs, dict(type='ssd_plugin.SSDAnchorGenerator')):
        config = dict(
            type='ssd_plugin.SSD',
            backbone=dict(type='ssd_plugin.SSDVGG'),
            neck=dict(type='ssd_plugin.SSDNeck'),
            bbox_head=dict(type='ssd_plugin.SSDHead', anchor_generator=generator),
            input_size=300,
        )
        priors = MODELS.build(config).bbox_head.prior_generator.grid_priors(maps, device='cpu')
        boxes.append(torch.cat(priors))
    assert boxes[0].shape == (8732, 4)
    torch.testing.assert_close(boxes[0], boxes[1], rtol=0, atol=1e-4)


HEADS = {
    'stacked': dict(stacked_convs=2, feat_channels=16),
    'stacked with batch norm': dict(stacked_convs=1, feat_channels=16, norm_cfg=dict(type='BN')),
    'stacked with group norm': dict(stacked_convs=1, feat_channels=16, norm_cfg=dict(type='GN', num_groups=4)),
    'depthwise': dict(use_depthwise=True, norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU6')),
    'shared': dict(share_conv=True, stacked_convs=1, feat_channels=16, anchor_generator=POINT_PRIORS),
}


@pytest.mark.parametrize('name', HEADS)
def test_heads(name):
    torch.manual_seed(0)
    detector = build(neck=FPN, **HEADS[name])
    assert len(detector.bbox_head.cls_convs) == (1 if name == 'shared' else 3)
    assert learn_and_predict(detector)[1] == []


def test_the_head_takes_a_generator():
    head = build().bbox_head.eval()
    features = [torch.rand(1, *shape) for shape in build().feature_shapes]
    for listed, given in zip(head(features), head(feature for feature in features)):
        assert len(given) == len(features)
        for a, b in zip(listed, given):
            torch.testing.assert_close(a, b)


def test_another_head():
    retina = dict(
        type='RetinaHead',
        num_classes=3,
        loss_cls=dict(type='FocalLoss', use_sigmoid=True),
        loss_bbox=dict(type='L1Loss'),
    )
    assigner = dict(type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4, min_pos_iou=0)
    register_all_modules()
    detector = MODELS.build(
        dict(
            type='ssd_plugin.SSD',
            backbone=RESNET,
            neck=FPN,
            bbox_head=retina,
            input_size=SIDE,
            train_cfg=dict(assigner=assigner),
            test_cfg=ConfigDict(nms_pre=100, score_thr=1e-4, nms=dict(type='nms', iou_threshold=0.5), max_per_img=10),
        )
    )
    detector.init_weights()
    assert learn_and_predict(detector)[1] == []


@pytest.mark.parametrize('layer', ['ConvWS', 'ConvAWS'])
def test_layers_that_read_their_weights_keep_the_plain_order(layer):
    torch.manual_seed(0)
    detector = build(backbone=dict(RESNET, conv_cfg=dict(type=layer)))
    convs = [m for m in detector.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (3, 3)]
    last = {type(conv).__name__: conv.weight.is_contiguous(memory_format=torch.channels_last) for conv in convs}
    assert last.pop('Conv2d')
    assert list(last.values()) == [False]
    assert learn_and_predict(detector)[1] == []


LAST_STAGES = (False, True, True, True)
SWITCHABLE = dict(conv_cfg=dict(type='ConvAWS'), sac=dict(type='SAC', use_deform=True), stage_with_sac=LAST_STAGES)
DEFORMABLE = {
    'DCN': dict(RESNET, depth=50, dcn=dict(type='DCN', deform_groups=1), stage_with_dcn=LAST_STAGES),
    'DCNv2': dict(RESNET, depth=50, dcn=dict(type='DCNv2', deform_groups=1), stage_with_dcn=LAST_STAGES),
    'SAC': dict(RESNET, depth=50, type='DetectoRS_ResNet', **SWITCHABLE),
}


@pytest.mark.skipif(not has_compiled_ops(), reason='needs the compiled ops of mmcv')
@pytest.mark.parametrize('name', DEFORMABLE)
def test_deformable_convolutions(name):
    torch.manual_seed(0)
    detector = build(backbone=DEFORMABLE[name], neck=None)
    with pytest.raises(RuntimeError):  # So the maps were measured by a real forward.
        copy.deepcopy(detector.backbone).to('meta')(torch.zeros(1, 3, SIDE, SIDE, device='meta'))
    assert detector.feature_shapes == [(128, 12, 12), (256, 6, 6), (512, 3, 3)]
    assert learn_and_predict(detector)[1] == []
    for parameter in detector.parameters():
        torch.nn.init.normal_(parameter, std=0.1)  # Offsets, and the last scale of a block, begin at zero.
    image = torch.rand(1, 3, SIDE, SIDE)
    in_plain_order = copy.deepcopy(detector.backbone).to(memory_format=torch.contiguous_format)(image)
    torch.testing.assert_close(detector.extract_feat(image), in_plain_order)


@pytest.mark.skipif(has_compiled_ops(), reason='needs mmcv-lite')
@pytest.mark.parametrize('name', DEFORMABLE)
def test_deformable_convolutions_need_compiled_ops(name):
    one_line = r'^\w+ is one of the compiled ops that mmcv-lite lacks: .* pip install "mmcv.*\Z'
    with pytest.raises(UserError, match=one_line):
        build(backbone=DEFORMABLE[name])
