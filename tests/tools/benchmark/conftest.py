import pytest
import torch

from benchmark import peers, synthetic
from benchmark.timing import Budget

SMALL = 'SSDLite MobileNetV2 COCO'


@pytest.fixture(scope='session')
def pair():
    """The smallest network of the benchmark, in evaluation mode, with the scores of a trained one."""
    torch.manual_seed(0)
    built = peers.build_pair(SMALL, 'cpu')
    peers.sharpen(built, synthetic.network_image(0, built.ours.input_size))
    return built


@pytest.fixture
def once():
    return Budget(rounds=1, warmups=0)


@pytest.fixture
def check():
    """Checks that the sides are those named, each measured once."""

    def look(seconds, *sides):
        assert tuple(seconds) == sides
        assert all(len(found) == 1 and 0 < found[0] < float('inf') for found in seconds.values())

    return look
