import pytest
import torch

from ssd_plugin.models.dense_heads.candidates import Candidates, best_of_groups, best_of_images, select_candidates

PROBABILITIES = torch.tensor(
    [
        [[0.5, 0.3, 0.2], [0.05, 0.05, 0.9], [0.6, 0.3, 0.1]],
        [[0.0, 0.0, 1.0], [0.1, 0.2, 0.7], [0.0, 0.04, 0.96]],
    ]
)
# The same priors as two levels of logits.
LEVELS = torch.split(PROBABILITIES.log(), [1, 2], 1)


def listed(found):
    return list(zip(found.img_inds.tolist(), found.prior_inds.tolist(), found.labels.tolist()))


def test_pairs_above_the_threshold():
    found = select_candidates(LEVELS, 0.08, use_sigmoid=False)
    assert listed(found) == [(0, 0, 0), (0, 0, 1), (0, 2, 0), (0, 2, 1), (1, 1, 0), (1, 1, 1)]
    torch.testing.assert_close(found.scores, torch.tensor([0.5, 0.3, 0.6, 0.3, 0.1, 0.2]))


def test_sigmoid_scores_have_no_background():
    logits = torch.tensor([[[0.0, -9.0], [3.0, 1.0]]])
    found = select_candidates([logits], 0.4, use_sigmoid=True)
    assert listed(found) == [(0, 0, 0), (0, 1, 0), (0, 1, 1)]
    torch.testing.assert_close(found.scores, torch.tensor([0.0, 3.0, 1.0]).sigmoid())


def test_nothing_above_the_threshold():
    assert listed(select_candidates(LEVELS, 0.7, use_sigmoid=False)) == []


@pytest.mark.parametrize('threshold', [-1.0, 0.0])
def test_no_threshold(threshold):
    # Strictly more than 0: the classes of probability 0 count only beneath it.
    found = select_candidates(LEVELS, threshold, use_sigmoid=False)
    assert len(found.scores) == (12 if threshold < 0 else 9)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize('use_sigmoid', [False, True])
@pytest.mark.parametrize('threshold', [0.01, 0.2, 0.999])
def test_the_bound_leaves_nothing_out(use_sigmoid, threshold, dtype):
    # One class, so that the bound is as tight as it gets.
    logits = (torch.randn((3, 3000, 2), generator=torch.Generator().manual_seed(0)) * 4).to(dtype)
    scores = logits.float().sigmoid() if use_sigmoid else logits.float().softmax(2)[..., :-1]
    found = select_candidates([logits], threshold, use_sigmoid)
    assert listed(found) == [tuple(place) for place in (scores > threshold).nonzero().tolist()]


def pairs(img_inds, scores):
    count = torch.arange(len(scores))
    return Candidates(torch.tensor(img_inds), count, count % 3, torch.tensor(scores))


def test_best_of_images_keeps_what_scores_as_much_as_the_last():
    found, left_out = best_of_images(pairs([0, 0, 0, 0, 2], [0.1, 0.5, 0.9, 0.5, 0.3]), 2)
    assert found.prior_inds.tolist() == [1, 2, 3, 4]
    assert left_out.tolist() == [True, False, False]
    everything = pairs([0, 1], [0.5, 0.4])
    assert best_of_images(everything, 2) == (everything, None)
    found, left_out = best_of_images(everything, 1)
    assert found.prior_inds.tolist() == [0, 1]
    assert left_out.tolist() == [False, False]


def test_best_of_groups():
    index = torch.tensor([0, 0, 0, 0, 1, 1])
    label = torch.tensor([2, 0, 2, 2, 0, 0])
    found = Candidates(index, torch.arange(6), label, torch.linspace(1, 0.5, 6))
    assert best_of_groups(found, index * 3 + label, 1).prior_inds.tolist() == [0, 1, 4]
    assert best_of_groups(found, index * 3 + label, 2).prior_inds.tolist() == [0, 1, 2, 4, 5]
    none = found.pick(index[:0])
    assert best_of_groups(none, none.img_inds, 1).prior_inds.tolist() == []


def test_a_bound_rounded_to_16_bits_loses_nothing():
    # The lead over the background, -6.516, is -6.531 in bfloat16.
    logits = torch.tensor([[[-0.016, 6.5]]], dtype=torch.bfloat16)
    score = logits.float().softmax(2)[0, 0, 0].item()
    assert len(select_candidates([logits], score * 0.9999, use_sigmoid=False).scores) == 1
