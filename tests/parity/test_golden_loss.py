"""Mining, losses and gradients equal those of the authors' compiled MultiBoxLoss layer."""

import golden
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

CASES = golden.load_cases('multibox_loss')


def objects(case, image):
    """Rows of an image's objects; without ``use_difficult`` the data set leaves out the difficult ones."""
    rows = case['gt'][case['gt'][:, 0] == image]
    return rows if case['use_difficult'] else rows[rows[:, 7] == 0]


@pytest.fixture(params=CASES, ids=lambda case: case['id'])
def case(request):
    return request.param


@pytest.fixture
def computed(case):
    """Losses, and the gradients of their sum, background last."""
    images = range(len(case['conf']))
    head = golden.make_head(case['priors'], case['conf'].shape[2] - 1, bool(case['cross']))
    conf = golden.as_map(golden.background_last(case['conf'])).requires_grad_()
    loc = golden.as_map(case['loc']).requires_grad_()
    gt_instances = [
        InstanceData(
            bboxes=golden.pixels(objects(case, image)[:, 3:7]),
            labels=torch.as_tensor(objects(case, image)[:, 1]).long() - 1,
        )
        for image in images
    ]
    losses = head.loss_by_feat([conf], [loc], gt_instances, golden.metas(len(images)))
    (losses['loss_cls'] + losses['loss_bbox']).backward()
    return losses, golden.from_map(conf.grad), golden.from_map(loc.grad)


def test_losses(case, computed):
    losses = computed[0]
    assert losses['loss_cls'].item() == pytest.approx(case['loss'][0], rel=1e-5)
    assert losses['loss_bbox'].item() == pytest.approx(case['loss'][1], rel=1e-5)


def test_gradients(case, computed):
    _, conf_grad, loc_grad = computed
    torch.testing.assert_close(conf_grad, golden.background_last(case['conf_grad']), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(loc_grad, torch.from_numpy(case['loc_grad']), rtol=1e-4, atol=1e-6)


def test_mined_boxes(case, computed):
    """A default box teaches the classes if it is matched or mined; only such a one has a gradient."""
    taught = (computed[1] != 0).any(2).numpy()
    np.testing.assert_array_equal(taught & (case['matched'] < 0), case['negative'])
    assert taught[case['matched'] >= 0].all()


def test_matched_boxes(case):
    gt_bboxes = [golden.pixels(objects(case, image)[:, 3:7]) for image in range(len(case['conf']))]
    size = (golden.SIDE, golden.SIDE)
    found = golden.assign(golden.pixels(case['priors']), gt_bboxes, size, bool(case['cross'])).numpy()
    # In an image without objects the authors do not look for boundary boxes either; nothing is mined there.
    occupied = [len(boxes) > 0 for boxes in gt_bboxes]
    np.testing.assert_array_equal(found[occupied], case['matched'][occupied])
    assert (found >= 0).sum() == case['loss'][2]
