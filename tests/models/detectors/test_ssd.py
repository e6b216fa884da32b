"""The detector that measures its geometry."""

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.structures import InstanceData

from ssd_plugin.errors import UserError

VGG = dict(type='ssd_plugin.SSDVGG', depth=16)
SMALL = dict(type='MobileNetV2', widen_factor=0.25, out_indices=(2, 4))


def config(backbone, size, neck=None, head=None, **settings):
    return dict(
        type='ssd_plugin.SSD',
        backbone=backbone,
        neck=dict(type='ssd_plugin.SSDNeck', **(neck or {})),
        bbox_head=dict(type='ssd_plugin.SSDHead', num_classes=20, in_channels=None, **(head or {})),
        input_size=size,
        train_cfg=dict(assigner=dict(type='ssd_plugin.SSDAssigner')),
        **settings,
    )


def build(*arguments, **settings):
    register_all_modules()
    return MODELS.build(config(*arguments, **settings))


def on_meta(*arguments, **settings):
    with torch.device('meta'):
        return build(*arguments, **settings)


def priors(detector):
    generator = detector.bbox_head.prior_generator
    with torch.device('cpu'):
        return generator.num_base_priors, sum(
            height * width * boxes for (height, width), boxes in zip(detector.map_sizes, generator.num_base_priors)
        )


def test_ssd300_is_the_published_one():
    detector = on_meta(VGG, 300)
    assert detector.map_sizes == [(38, 38), (19, 19), (10, 10), (5, 5), (3, 3), (1, 1)]
    assert detector.bbox_head.prior_generator.strides == [(s, s) for s in (8, 16, 32, 64, 100, 300)]
    assert detector.neck.out_channels == (512, 1024, 512, 256, 256, 256)
    assert priors(detector) == ([4, 6, 6, 6, 4, 4], 8732)
    assert detector.bbox_head.prior_generator.min_sizes == [21, 45, 99, 153, 207, 261]


def test_ssd512_is_the_published_one():
    detector = on_meta(VGG, 512)
    assert detector.map_sizes == [(64, 64), (32, 32), (16, 16), (8, 8), (4, 4), (2, 2), (1, 1)]
    assert detector.bbox_head.prior_generator.strides == [(s, s) for s in (8, 16, 32, 64, 128, 256, 512)]
    assert detector.neck.out_channels == (512, 1024, 512, 256, 256, 256, 256)
    assert priors(detector) == ([4, 6, 6, 6, 6, 4, 4], 24564)


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        ((448, 256), [(32, 56), (16, 28), (8, 14), (4, 7), (2, 4), (1, 3)]),
        ((1200, 300), [(38, 150), (19, 75), (10, 38), (5, 19), (3, 17), (1, 15)]),
        (64, [(8, 8), (4, 4), (2, 2), (1, 1)]),
    ],
)
def test_other_sizes(size, expected):
    detector = on_meta(VGG, size)
    assert detector.map_sizes == expected
    width, height = detector.input_size
    for (rows, columns), stride in zip(expected, detector.bbox_head.prior_generator.strides):
        # The centres cover the image and do not leave it by a cell.
        assert abs(columns * stride[0] - width) < stride[0]
        assert abs(rows * stride[1] - height) < stride[1]


def test_explicit_values_win():
    strides = [10, 20, 30, 60, 100, 300]
    generator = dict(type='ssd_plugin.SSDAnchorGenerator', strides=strides, basesize_ratio_range=(0.2, 0.9))
    detector = on_meta(VGG, 300, head=dict(anchor_generator=generator))
    assert detector.bbox_head.prior_generator.strides == [(s, s) for s in strides]
    assert detector.bbox_head.prior_generator.min_sizes == [30, 60, 111, 162, 213, 264]


def test_contradictions_name_both():
    with pytest.raises(ValueError, match=r'neck.in_channels: \(512, 512\), expected \[512, 1024\]'):
        on_meta(VGG, 300, neck=dict(in_channels=(512, 512)))
    generator = dict(type='ssd_plugin.SSDAnchorGenerator', strides=[8, 16])
    with pytest.raises(ValueError, match=r'anchor_generator: 2 levels, expected 6'):
        on_meta(VGG, 300, head=dict(anchor_generator=generator))


def test_description():
    rows = build(SMALL, 64).describe().splitlines()
    assert rows[0] == 'Default boxes for an input of 64x64'
    cells = [[cell.strip() for cell in row.split('|')[1:-1]] for row in rows]
    # Four levels: 7 %, 15 %, 52 % and 89 % of 64 px, cut to 4, 9, 33 and 56; last, 126 % to 80.
    assert cells[4] == ['0', '8x8', '8', '8x8', '4..6', '256']
    assert cells[7] == ['3', '1x1', '256', '64x64', '56..67', '4']
    assert cells[8] == ['', '', '', '', 'all', '372']


def sample(side=96):
    data = DetDataSample(metainfo=dict(img_shape=(side, side), ori_shape=(side, side), scale_factor=(1.0, 1.0)))
    data.gt_instances = InstanceData(bboxes=torch.tensor([[10.0, 20, 60, 80]]), labels=torch.tensor([3]))
    return data


@pytest.mark.parametrize('channels_last', [False, True])
def test_learns_and_predicts(channels_last):
    torch.manual_seed(0)
    detector = build(SMALL, 96, channels_last=channels_last)
    detector.init_weights()
    images = torch.randn((2, 3, 96, 96), generator=torch.Generator().manual_seed(0))
    losses = detector.loss(images, [sample(), sample()])
    assert set(losses) == {'loss_cls', 'loss_bbox'}
    sum(losses.values()).backward()
    for part in (detector.neck, detector.bbox_head):
        assert [name for name, parameter in part.named_parameters() if parameter.grad is None] == []
    conv = detector.bbox_head.cls_convs[0][0].weight
    assert conv.is_contiguous(memory_format=torch.channels_last) == channels_last
    found = detector.eval().predict(images, [sample(), sample()])
    assert [len(data.pred_instances) for data in found] == [200, 200]


def test_memory_order_changes_no_number():
    torch.manual_seed(0)
    plain, last = build(SMALL, 96, channels_last=False).eval(), build(SMALL, 96).eval()
    last.load_state_dict(plain.state_dict())
    images = torch.randn((2, 3, 96, 96), generator=torch.Generator().manual_seed(0))
    expected, found = plain.loss(images, [sample(), sample()]), last.loss(images, [sample(), sample()])
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-5)


def test_images_of_another_size_are_refused():
    detector = build(SMALL, (96, 64))
    line = r'^model\.input_size: 96x64, but the pipeline gives images of 64x96 \(width x height\), expected one size'
    for run in (detector.loss, detector.eval().predict):
        with pytest.raises(UserError, match=line):
            run(torch.zeros((1, 3, 96, 64)), [sample()])


def test_batch_augmentations_change_the_size_in_training_only():
    resize = dict(type='BatchSyncRandomResize', random_size_range=(96, 128))
    detector = build(SMALL, 96, data_preprocessor=dict(type='DetDataPreprocessor', batch_augments=[resize]))
    images = torch.zeros((1, 3, 128, 128))
    assert torch.isfinite(sum(detector.loss(images, [sample(128)]).values()))
    with pytest.raises(UserError, match='gives images of 128x128'):
        detector.eval().predict(images, [sample(128)])


def test_a_random_size_that_the_network_cannot_take_is_refused():
    line = (
        r'^model\.data_preprocessor\.batch_augments: BatchSyncRandomResize draws 320x240 too \(width x height\), which '
        r'the network cannot take, expected a random_size_range of what it takes: 340x260, 360x280, 400x300$'
    )
    resize = dict(type='BatchSyncRandomResize', random_size_range=(240, 300), size_divisor=20)
    with pytest.raises(UserError, match=line):
        build(SMALL, (400, 300), data_preprocessor=dict(type='DetDataPreprocessor', batch_augments=[resize]))
