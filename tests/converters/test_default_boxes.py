import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules import SSDAnchorGenerator
from plain_ssd import RATIOS, STRIDES, decode

from ssd_plugin.converters.default_boxes import cell_boxes, published_sizes, rebase


@pytest.mark.parametrize(
    ('name', 'level', 'sizes'),
    [
        ('ssd300-voc', 0, [(30, 30), (42.4264, 42.4264), (42.4264, 21.2132), (21.2132, 42.4264)]),
        ('ssd300-voc', 5, [(264, 264), (288.3748, 288.3748), (373.3524, 186.6762), (186.6762, 373.3524)]),
        ('ssd300-coco', 4, [(207, 207), (232.4371, 232.4371), (292.7422, 146.3711), (146.3711, 292.7422)]),
        ('ssd512-voc', 0, [(35, 35), (51.5752, 51.5752), (49.4975, 24.7487), (24.7487, 49.4975)]),
        ('ssd512-coco', 6, [(460, 460), (499.3195, 499.3195), (650.5382, 325.2691), (325.2691, 650.5382)]),
    ],
)
def test_published_sizes(name: str, level: int, sizes: list[tuple[float, float]]) -> None:
    found = cell_boxes(published_sizes(name).truncate())[level]
    torch.testing.assert_close(found, torch.tensor(sizes).double(), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ('name', 'size', 'start'), [('ssd300-voc', 300, 0.2), ('ssd300-coco', 300, 0.15), ('ssd512-voc', 512, 0.15)]
)
def test_sizes_and_their_order_are_the_anchor_generators(name: str, size: int, start: float) -> None:
    generator = SSDAnchorGenerator(
        strides=STRIDES[size],
        ratios=RATIOS[size],
        input_size=size,
        basesize_ratio_range=(start, 0.9),
        scale_major=False,
    )
    boxes = cell_boxes(published_sizes(name).truncate())
    for level, anchors in enumerate(generator.base_anchors):
        sides = (anchors[:, 2:] - anchors[:, :2]).double()
        torch.testing.assert_close(boxes[level], sides, rtol=0, atol=1e-3)


def test_clipped_sizes() -> None:
    """The last level of VOC: 373.4 becomes 300, nothing else changes."""
    sizes = cell_boxes(published_sizes('ssd300-voc'), clip=300)[5]
    assert sizes[2, 0] == sizes[3, 1] == 300
    assert sizes[1, 0] == pytest.approx(288.3748, abs=1e-4)


@settings(max_examples=settings.default.max_examples // 2)
@given(
    theirs=st.lists(st.tuples(st.floats(5, 600), st.floats(5, 600)), min_size=1, max_size=6),
    factor=st.floats(0.5, 2),
    seed=st.integers(0, 1000),
)
def test_rebased_predictor_decodes_to_the_same_boxes(
    theirs: list[tuple[float, float]], factor: float, seed: int
) -> None:
    source = torch.tensor(theirs, dtype=torch.float64)
    target = source * torch.tensor([factor, 1 / factor])
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(4 * len(source), 3, 1, 1, generator=generator, dtype=torch.float64)
    bias = torch.randn(4 * len(source), generator=generator, dtype=torch.float64)
    x = torch.randn(1, 3, 2, 2, generator=generator, dtype=torch.float64)
    before = decode(torch.conv2d(x, weight, bias), source[:, 0], source[:, 1])
    after = decode(torch.conv2d(x, *rebase(weight, bias, source, target)), target[:, 0], target[:, 1])
    torch.testing.assert_close(after, before)


def test_equal_boxes_change_no_bit() -> None:
    weight, bias = torch.randn(8, 3, 3, 3), torch.randn(8)
    sizes = torch.tensor([[30.0, 40.0], [50.0, 60.0]], dtype=torch.float64)
    same_weight, same_bias = rebase(weight, bias, sizes, sizes)
    assert torch.equal(same_weight, weight)
    assert torch.equal(same_bias, bias)
