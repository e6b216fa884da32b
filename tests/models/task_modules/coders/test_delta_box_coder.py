import pytest
import torch
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder

from ssd_plugin.models.task_modules import DeltaBoxCoder

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


def test_no_boxes():
    nothing = torch.zeros((0, 4))
    assert DeltaBoxCoder().encode(nothing, nothing).shape == (0, 4)
    assert DeltaBoxCoder().decode(nothing, nothing).shape == (0, 4)


def test_clamped_centres_are_refused():
    with pytest.raises(ValueError, match='add_ctr_clamp: True'):
        DeltaBoxCoder(add_ctr_clamp=True)
