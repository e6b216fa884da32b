"""Default boxes equal those of the authors' compiled PriorBox layer."""

import golden
import pytest
import torch
from mmdet.registry import TASK_UTILS

STRIDES = {300: (8, 16, 32, 64, 100, 300), 512: (8, 16, 32, 64, 128, 256, 512)}
MAPS = {300: (38, 19, 10, 5, 3, 1), 512: (64, 32, 16, 8, 4, 2, 1)}


@pytest.mark.parametrize(('name', 'smallest'), [('voc300', 0.2), ('coco300', 0.15), ('voc512', 0.15), ('coco512', 0.1)])
def test_default_boxes(name, smallest):
    size = int(name[-3:])
    generator = TASK_UTILS.build(
        dict(
            type='ssd_plugin.SSDAnchorGenerator',
            strides=STRIDES[size],
            basesize_ratio_range=(smallest, 0.9),
            input_size=size,
        )
    )
    found = torch.cat(generator.grid_priors([(side, side) for side in MAPS[size]], device='cpu'))
    expected = torch.from_numpy(golden.load('default_boxes')[name])
    assert found.shape == expected.shape
    torch.testing.assert_close(found / size, expected, rtol=0, atol=2e-7)
