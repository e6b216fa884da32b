"""The faults themselves go through the tool, in tests/faults/test_converter.py; here is what must not be one."""

import pytest
import torch
from torch import nn

from ssd_plugin.converters.check_weights import check_weights
from ssd_plugin.errors import UserError


def test_sound_layers_of_every_sort_pass() -> None:
    layers = [
        nn.Conv2d(3, 4, 3),
        nn.Conv2d(4, 4, 3, bias=False, groups=2),
        nn.ConvTranspose2d(4, 2, 3),
        nn.BatchNorm2d(4),
        nn.BatchNorm2d(4, affine=False),
        nn.BatchNorm2d(4, track_running_stats=False),
        nn.GroupNorm(2, 4),
        nn.LayerNorm((4, 3, 3)),
        nn.MultiheadAttention(4, 2),
        nn.Linear(4, 2).half(),
        nn.Linear(4, 2).double(),
    ]
    state = nn.ModuleList(layers).state_dict()
    state['scale'] = torch.tensor(1.0)
    state['blocks.relative_position_index'] = torch.arange(4)
    check_weights(state)


@pytest.mark.parametrize('lost', ['weight', 'bias', 'running_mean', 'running_var'])
def test_a_normalisation_lacks_a_part(lost: str) -> None:
    state = nn.BatchNorm2d(4).state_dict(prefix='a.')
    del state[f'a.{lost}']
    with pytest.raises(UserError, match=f"key 'a.{lost}' is missing beside the others of its layer"):
        check_weights(state)


def test_nothing() -> None:
    with pytest.raises(UserError, match='holds no weights'):
        check_weights({})
