import numpy as np
import pytest
import torch
from drawn_boxes import boxes as drawn
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder

from ssd_plugin.box_ops import box_iou
from ssd_plugin.models.task_modules import DeltaBoxCoder
from ssd_plugin.models.task_modules.assigners.ssd_assigner import MIN_OVERLAP

STDS = (0.1, 0.1, 0.2, 0.2)


def boxes(seed, count=200):
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand((count, 2), generator=generator) * 200
    return torch.cat([corner, corner + 1 + torch.rand((count, 2), generator=generator) * 150], 1)


def test_by_hand_and_back():
    coder = DeltaBoxCoder(target_stds=STDS)
    priors = torch.tensor([[0.0, 0, 20, 10], [10, 10, 40, 60]])
    truths = torch.tensor([[2.0, 1, 42, 11], [0, -5, 33, 70]])
    deltas = coder.encode(priors, truths)
    # Centre 12 px to the right of a width of 20, 1 px down of a height of 10, twice as wide, as high.
    torch.testing.assert_close(deltas[0], torch.tensor([6.0, 1.0, 3.4657359, 0.0]))
    torch.testing.assert_close(coder.decode(priors, deltas), truths)


@pytest.mark.parametrize('means', [(0.0, 0, 0, 0), (0.5, -1, 0.1, 2)])
def test_numbers_are_mmdets(means):
    ours, theirs = (kind(means, STDS, clip_border=False) for kind in (DeltaBoxCoder, DeltaXYWHBBoxCoder))
    priors, truths = boxes(0), boxes(1)
    torch.testing.assert_close(ours.encode(priors, truths), theirs.encode(priors, truths), rtol=1e-4, atol=1e-4)
    deltas = torch.randn((200, 4), generator=torch.Generator().manual_seed(2)) * 10
    # Some so large that the logarithms are clamped.
    torch.testing.assert_close(ours.decode(priors, deltas), theirs.decode(priors, deltas), rtol=1e-4, atol=1e-3)


@given(data=st.data(), count=st.integers(0, 6))
def test_what_is_encoded_is_decoded(data, count):
    priors, truths = (torch.tensor(data.draw(drawn(count, count))) for _ in range(2))
    coder = DeltaBoxCoder(target_stds=STDS)
    size, gt_size = priors[:, 2:] - priors[:, :2], truths[:, 2:] - truths[:, :2]
    back = coder.decode(priors, coder.encode(priors, truths))
    assert back.isfinite().all()
    ratio = gt_size / size
    within = ((ratio > 0.017) & (ratio < 1 / 0.017)).all(1)  # of 16 / 1000, to which decoding is limited
    # The rounding of a difference of centres grows with their distance.
    scale = torch.cat([priors, truths], 1).abs().amax(1, keepdim=True).expand(-1, 4)[within]
    assert ((back - truths).abs()[within] <= 2e-5 * scale).all()


@given(data=st.data(), count=st.integers(0, 6))
def test_every_pair_that_can_be_matched_has_finite_targets(data, count):
    priors, truths = (torch.tensor(data.draw(drawn(count, count, flat))) for flat in (False, True))
    matched = box_iou(priors, truths) > MIN_OVERLAP
    assert DeltaBoxCoder(target_stds=STDS).encode(priors[matched], truths[matched]).isfinite().all()


@given(data=st.data(), count=st.integers(0, 6))
def test_any_finite_prediction_is_a_box(data, count):
    priors = torch.tensor(data.draw(drawn(count, count)))
    deltas = data.draw(arrays(np.float32, (count, 4), elements=st.floats(-(2.0**60), 2.0**60, width=32)))
    found = DeltaBoxCoder(target_stds=STDS).decode(priors, torch.tensor(deltas))
    assert found.isfinite().all()
    assert (found[:, 2:] >= found[:, :2]).all()


def test_no_boxes():
    nothing = torch.zeros((0, 4))
    assert DeltaBoxCoder().encode(nothing, nothing).shape == (0, 4)
    assert DeltaBoxCoder().decode(nothing, nothing).shape == (0, 4)


def test_clamped_centres_are_refused():
    with pytest.raises(ValueError, match='add_ctr_clamp: True'):
        DeltaBoxCoder(add_ctr_clamp=True)
