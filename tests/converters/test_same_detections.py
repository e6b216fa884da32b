"""Converted weights predict the boxes of their source on the whole of every map, last row and column included."""

from collections.abc import Callable
from typing import Any

import foreign_weights
import pytest
import torch
from mmdet.registry import TASK_UTILS
from plain_ssd import BOXES, CLASSES, RATIOS, STRIDES, Outputs, PlainSSD
from torch import Tensor

from ssd_plugin.converters import amdegroot, lufficc, torchvision

MAPS = {300: (38, 19, 10, 5, 3, 1), 512: (64, 32, 16, 8, 4, 2, 1)}
# min, and max of the last level; each min is the max before it.
EDGES = {
    'coco 300': (21, 45, 99, 153, 207, 261, 315),
    'voc 300': (30, 60, 111, 162, 213, 264, 315),
    'voc 512': (35.84, 76.8, 153.6, 230.4, 307.2, 384.0, 460.8, 537.65),
}
SCALES = {'coco 300': 0.15, 'voc 300': 0.2, 'voc 512': 0.15}


def center_size_priors(size: int, edges: tuple[float, ...], clip_centers: bool) -> Tensor:
    """(N, 4) centre and size as fractions, all clipped to 0..1 or the sizes alone, in the sources' order."""
    rows = []
    for level, side in enumerate(MAPS[size]):
        small = edges[level] / size
        large = (small * edges[level + 1] / size) ** 0.5
        for y in range(side):
            for x in range(side):
                center = ((x + 0.5) * STRIDES[size][level] / size, (y + 0.5) * STRIDES[size][level] / size)
                rows += [(*center, small, small), (*center, large, large)]
                for ratio in RATIOS[size][level]:
                    root = ratio**0.5
                    rows += [(*center, small * root, small / root), (*center, small / root, small * root)]
    priors = torch.tensor(rows, dtype=torch.float64)
    return priors.clamp(0, 1) if clip_centers else torch.cat([priors[:, :2], priors[:, 2:].clamp(0, 1)], 1)


def flat(maps: list[Tensor], channels: int) -> Tensor:
    """Per level (1, A * K, h, w) to (N, K)."""
    return torch.cat([level[0].permute(1, 2, 0).reshape(-1, channels) for level in maps])


def source_boxes(priors: Tensor, deltas: Tensor, size: int) -> Tensor:
    """(N, 4) xyxy pixels, as all three decode."""
    center = priors[:, :2] + deltas[:, :2].double() * 0.1 * priors[:, 2:]
    sides = priors[:, 2:] * (deltas[:, 2:].double() * 0.2).exp()
    return torch.cat([center - sides / 2, center + sides / 2], 1) * size


def our_boxes(deltas: Tensor, size: int, scale: float, clip_centers: bool) -> Tensor:
    generator = TASK_UTILS.build(
        dict(
            type='ssd_plugin.SSDAnchorGenerator',
            strides=STRIDES[size],
            basesize_ratio_range=(scale, 0.9),
            input_size=size,
            clip_centers=clip_centers,
        )
    )
    coder = TASK_UTILS.build(dict(type='ssd_plugin.DeltaBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2), clip_border=False))
    priors = torch.cat(generator.grid_priors([(side, side) for side in MAPS[size]], device='cpu'))
    return coder.decode(priors, deltas)


CASES: dict[str, tuple[Callable, Callable, str, bool]] = {
    'amdegroot': (amdegroot.convert, foreign_weights.amdegroot, 'coco 300', True),
    'lufficc': (lufficc.convert, foreign_weights.lufficc, 'voc 300', True),
    'lufficc 512': (lufficc.convert, foreign_weights.lufficc, 'voc 512', True),
    'torchvision': (torchvision.convert, foreign_weights.torchvision, 'coco 300', False),
}


@pytest.mark.parametrize('name', CASES)
def test_same_scores_and_boxes(
    name: str, plain300: PlainSSD, plain512: PlainSSD, network: Callable[..., Outputs]
) -> None:
    convert, theirs, tiling, source_clips_centers = CASES[name]
    size = int(tiling[-3:])
    plain = plain512 if size == 512 else plain300
    image = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(2))
    converted: Any = convert(theirs(plain))
    with torch.no_grad():
        plain_cls, plain_reg = plain(image)
    cls, reg = network(converted.state_dict, size, image)
    priors = center_size_priors(size, EDGES[tiling], source_clips_centers)
    assert len(priors) == sum(side**2 * boxes for side, boxes in zip(MAPS[size], BOXES[size]))

    scores = flat(cls, CLASSES + 1).softmax(1)
    expected_scores = flat(plain_cls, CLASSES + 1).softmax(1).roll(-1, 1)
    torch.testing.assert_close(scores, expected_scores, rtol=0, atol=4e-5)

    expected = source_boxes(priors, flat(plain_reg, 4), size)
    # The coder holds logarithms of sizes within log(1000 / 16); random weights exceed it in places.
    usual = (flat(plain_reg, 4)[:, 2:].abs() * 0.2 < 4).all(1)
    assert usual.float().mean() > 0.99

    def distance(clip_centers: bool) -> Tensor:
        found = our_boxes(flat(reg, 4), size, SCALES[tiling], clip_centers).double()
        return ((found - expected).abs() / expected.abs().clamp(min=size)).amax(1)[usual]

    assert distance(converted.clip_centers).max() < 1e-5
    if converted.clip_centers:
        # Without the option that the converter prints, the last row and column of the 10x10 map are 4 pixels off.
        assert (distance(False) > 1e-4).sum() > 0.9 * 19 * 6
