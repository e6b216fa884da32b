import pytest
import torch

from ssd_plugin.models import SSDHead
from ssd_plugin.models.dense_heads import ssd_head

META = dict(img_shape=(10, 50), scale_factor=(1.0, 1.0))


def features(batch, seed=0):
    image = torch.randn((1, 4, 1, 5), generator=torch.Generator().manual_seed(seed))
    return [image.expand(batch, -1, -1, -1).clone()]


def test_two_equal_images_have_the_loss_of_one(strip_head, objects):
    torch.manual_seed(0)
    head = strip_head()
    gt_instances = [objects([[0, 0, 10, 10], [20, 1, 30, 9]], [1, 0])]
    alone = head.loss_by_feat(*head(features(1)), gt_instances, [META])
    together = head.loss_by_feat(*head(features(2)), gt_instances * 2, [META] * 2)
    for name, value in alone.items():
        assert value > 0
        torch.testing.assert_close(together[name], value)
    # One of them without its objects: twice nothing over the same N.
    half = head.loss_by_feat(*head(features(2)), [gt_instances[0], objects()], [META] * 2)
    for name, value in alone.items():
        torch.testing.assert_close(half[name], value)


def test_two_equal_images_have_the_detections_of_one(strip_head):
    torch.manual_seed(0)
    head = strip_head(test_cfg=dict(score_thr=0.01))
    with torch.no_grad():
        alone = head.predict_by_feat(*head(features(1)), None, [META])[0]
        together = head.predict_by_feat(*head(features(2)), None, [META] * 2)
    assert len(alone) > 0
    for image in together:
        torch.testing.assert_close(image.bboxes, alone.bboxes)
        torch.testing.assert_close(image.scores, alone.scores)
        assert torch.equal(image.labels, alone.labels)


def test_autocast_computes_losses_and_scores_in_float32(strip_head, objects):
    head = strip_head()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        outs = head(features(1))
        assert outs[0][0].dtype == torch.bfloat16
        losses = head.loss_by_feat(*outs, [objects([[0, 0, 10, 10]], [1])], [META])
        found = head.predict_by_feat(*outs, None, [META])[0]
    assert {value.dtype for value in losses.values()} == {torch.float32}
    assert (found.bboxes.dtype, found.scores.dtype) == (torch.float32, torch.float32)
    sum(losses.values()).backward()
    assert head.cls_convs[0][0].weight.grad.isfinite().all()


def test_unusable_gt_instances_do_not_reach_the_loss(strip_head, objects):
    torch.manual_seed(0)
    head = strip_head()
    outs = head(features(1))
    bad = [[0, 0, float('nan'), 5], [10, 0, 10, 9], [9, 9, 2, 2], [60, 0, 70, 10]]
    clean = head.loss_by_feat(*outs, [objects([[20, 0, 30, 10]], [1])], [META])
    found = head.loss_by_feat(*outs, [objects([*bad, [20, 0, 30, 10]], [0, 0, 0, 0, 1])], [META])
    assert found == clean
    nothing = head.loss_by_feat(*outs, [objects(bad, [0] * 4)], [META])
    assert [value.item() for value in nothing.values()] == [0, 0]


def test_a_first_prediction_in_inference_mode_leaves_training_possible(strip_head, objects):
    # What is made at the first call is kept: default boxes, and the coder's constants.
    head = strip_head(reg_decoded_bbox=True)
    with torch.inference_mode():
        head.predict_by_feat(*head(features(1)), None, [META])
    losses = head.loss_by_feat(*head(features(1)), [objects([[0, 0, 10, 10]], [1])], [META])
    sum(losses.values()).backward()
    assert head.reg_convs[0][0].weight.grad.abs().sum() > 0


def test_order_of_channels_and_boxes(strip_head):
    generator = dict(type='ssd_plugin.SSDAnchorGenerator', strides=[10], ratios=[[4]], min_sizes=[10], max_sizes=[None])
    head = SSDHead(2, in_channels=(4,), anchor_generator=generator, test_cfg=dict(score_thr=0.5))
    scores, deltas = torch.zeros((1, 3 * 3, 2, 2)), torch.zeros((1, 3 * 4, 2, 2))
    # Third box (tall: 5 x 20) of the cell at row 1, column 0, class 1.
    scores[0, 2 * 3 + 1, 1, 0] = 5
    deltas[0, 2 * 4 + 0, 1, 0] = 4  # 0.4 of the width of 5
    found = head.predict_by_feat([scores], [deltas], None, [dict(img_shape=(100, 100))])[0]
    assert found.labels.tolist() == [1]
    torch.testing.assert_close(found.bboxes, torch.tensor([[4.5, 5, 9.5, 25]]))


@pytest.mark.parametrize('depthwise', [False, True])
def test_stacked_convolutions(strip_head, depthwise):
    head = strip_head(stacked_convs=2, feat_channels=6, use_depthwise=depthwise, act_cfg=dict(type='ReLU'))
    scores, deltas = head(features(1))
    assert (scores[0].shape, deltas[0].shape) == ((1, 3, 1, 5), (1, 4, 1, 5))


def test_initialised_as_caffe_does(strip_head):
    head = SSDHead(20)
    torch.manual_seed(0)
    head.init_weights()
    conv = head.cls_convs[2][0]
    bound = (3 / (512 * 9)) ** 0.5
    assert bound * 0.999 < conv.weight.abs().max() <= bound
    assert conv.bias.abs().max() == 0
    assert conv.out_channels == 6 * 21


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        (dict(in_channels=None), r'^bbox_head\.in_channels: None'),
        (dict(in_channels=(4, 4)), r'^bbox_head\.anchor_generator: 6 levels, expected 2'),
        (dict(share_conv=True), r'^bbox_head\.share_conv: True with '),
        (dict(loss_bbox=dict(type='GIoULoss'), reg_decoded_bbox=False), r'^bbox_head\.reg_decoded_bbox: False'),
    ],
)
def test_bad_settings_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        SSDHead(20, **setting)


LOSSES = {
    'softmax': {},
    'focal': dict(loss_cls=dict(type='FocalLoss')),
    'quality focal': dict(loss_cls=dict(type='QualityFocalLoss')),
    'varifocal and giou': dict(loss_cls=dict(type='VarifocalLoss'), loss_bbox=dict(type='GIoULoss')),
    'sigmoid and l1': dict(loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True), loss_bbox=dict(type='L1Loss')),
}


@pytest.mark.parametrize('name', LOSSES)
def test_all_rows_masked_are_the_chosen_rows(strip_head, objects, monkeypatch, name):
    """A GPU computes with every prior and masks those not chosen; here both ways are run on the CPU."""
    torch.manual_seed(0)
    head = strip_head(**LOSSES[name])
    images = [objects([[0, 0, 10, 10], [20, 1, 30, 9]], [1, 0]), objects()]

    def losses_and_gradients():
        outs = [part.detach().requires_grad_() for level in head(features(2)) for part in level]
        losses = head.loss_by_feat(outs[:1], outs[1:], images, [META] * 2)
        sum(losses.values()).backward()
        return [*losses.values(), *(part.grad for part in outs)]

    chosen = losses_and_gradients()
    monkeypatch.setattr(
        ssd_head, 'gather_rows', lambda levels, mask: torch.cat([level.flatten(0, 1) for level in levels])
    )
    for masked, expected in zip(losses_and_gradients(), chosen):
        torch.testing.assert_close(masked, expected)
    assert chosen[0] > 0
