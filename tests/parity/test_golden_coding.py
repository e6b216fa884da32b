"""Encoded and decoded boxes equal those of the authors' compiled EncodeBBox and DecodeBBox."""

import golden
import pytest
import torch
from mmdet.registry import TASK_UTILS


@pytest.fixture(scope='module')
def arrays():
    return {name: torch.from_numpy(value) for name, value in golden.load('coding').items()}


@pytest.fixture(scope='module')
def coder():
    return TASK_UTILS.build(dict(type='ssd_plugin.DeltaBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2), clip_border=False))


@pytest.mark.parametrize('scale', [1, golden.SIDE], ids=['fractions', 'pixels'])
def test_encoded(arrays, coder, scale):
    found = coder.encode(arrays['priors'] * scale, arrays['boxes'] * scale)
    torch.testing.assert_close(found, arrays['encoded'], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('scale', [1, golden.SIDE], ids=['fractions', 'pixels'])
def test_decoded(arrays, coder, scale):
    found = coder.decode(arrays['priors'] * scale, arrays['deltas'])
    torch.testing.assert_close(found / scale, arrays['decoded'], rtol=1e-5, atol=1e-6)
