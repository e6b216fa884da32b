import pytest
import torch
from mmcv.ops import ModulatedDeformConv2d
from torch import nn

from ssd_plugin.models.detectors.memory_order import choose_memory_format

PLAIN, LAST = torch.contiguous_format, torch.channels_last


class Subclass(nn.Conv2d):
    pass


@pytest.mark.parametrize(
    ('layer', 'expected'),
    [
        (nn.Conv2d(8, 16, 3), LAST),
        (nn.Conv2d(8, 16, 3, stride=2), LAST),
        (nn.Conv2d(8, 16, 1), LAST),
        (nn.Conv2d(16, 16, 1, stride=2), LAST),
        (nn.Conv2d(15, 16, 1, stride=2), PLAIN),
        (nn.Conv2d(8, 64, 1, stride=(1, 2)), PLAIN),
        (nn.Conv2d(12, 24, 1, stride=4), PLAIN),
        (Subclass(8, 16, 1, stride=2), PLAIN),
        (nn.Conv1d(8, 16, 1, stride=2), LAST),
    ],
)
def test_layers_that_need_the_plain_order(layer, expected):
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sequential(layer))
    assert choose_memory_format(network, True) == expected
    assert choose_memory_format(network, False) == PLAIN


def test_layers_of_mmcv():
    class Fake(nn.Module):
        pass

    Fake.__module__ = ModulatedDeformConv2d.__module__
    assert choose_memory_format(nn.Sequential(Fake()), True) == PLAIN
