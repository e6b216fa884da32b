"""One value per channel trains; everything else is as before, to the last bit."""

import copy

import pytest
import torch
from torch import nn

from ssd_plugin.models.layers.single_value_norm import normalize_single_values


def trained_norm(kind=nn.BatchNorm2d, **settings):
    """A layer whose running statistics and weights are not those it starts with."""
    torch.manual_seed(0)
    norm = kind(3, **settings)
    nn.init.normal_(norm.weight)
    norm(torch.randn(4, 3, 2, 2) * 3 + 1)
    return norm


@pytest.mark.parametrize('kind', [nn.BatchNorm2d, nn.SyncBatchNorm])
def test_one_value_uses_the_running_statistics_and_teaches_the_weights(kind):
    norm = trained_norm(kind)
    plain = copy.deepcopy(norm)
    value = torch.tensor([1.0, -2.0, 5.0]).view(1, 3, 1, 1)
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        plain(value)
    normalize_single_values(norm)
    before = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    result = norm(value)
    assert torch.equal(result, plain.eval()(value))
    assert all(torch.equal(buffer, before[name]) for name, buffer in norm.named_buffers())
    result.sum().backward()
    assert torch.equal(norm.bias.grad, torch.ones(3))
    assert norm.training


def test_larger_inputs_and_evaluation_are_as_before():
    norm = trained_norm()
    plain = copy.deepcopy(norm)
    normalize_single_values(norm)
    assert norm.state_dict().keys() == plain.state_dict().keys()
    for shape in ((2, 3, 1, 1), (1, 3, 1, 2), (4, 3, 5, 5)):
        x = torch.randn(shape)
        assert torch.equal(norm(x), plain(x))
    assert all(torch.equal(a, b) for a, b in zip(norm.state_dict().values(), plain.state_dict().values()))
    # A backbone with norm_eval=True stays in evaluation.
    norm.eval(), plain.eval()
    for shape in ((1, 3, 1, 1), (2, 3, 4, 4)):
        x = torch.randn(shape)
        assert torch.equal(norm(x), plain(x))
        assert not norm.training


def test_a_copy_and_a_failed_pass_keep_training():
    norm = trained_norm()
    normalize_single_values(norm)
    other = copy.deepcopy(norm)
    other(torch.zeros(1, 3, 1, 1))
    assert other.training
    with pytest.raises(RuntimeError):
        norm(torch.zeros(1, 5, 1, 1))
    assert norm.training
