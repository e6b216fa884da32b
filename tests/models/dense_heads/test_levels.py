import pytest
import torch

from ssd_plugin.models.dense_heads import levels
from ssd_plugin.models.dense_heads.levels import LevelLogits, flatten_levels

# Two images, levels of 2x3 and 1x1 cells with 2 and 3 boxes, 4 classes: 12 + 3 boxes.
SHAPES = ((2, 8, 2, 3), (2, 12, 1, 1))


@pytest.fixture(params=[(1, 1 << 19), (1 << 20, 1 << 19), (60, 1)], ids=['in place', 'joined', 'mixed'])
def limits(request, monkeypatch):
    """Levels read in place, all joined, or one of each in chunks of one image."""
    monkeypatch.setattr(levels, 'SMALL', request.param[0])
    monkeypatch.setattr(levels, 'CHUNK', request.param[1])


def numbered(order):
    """Maps whose entry tells its image, level, row, column, box and class."""
    maps = []
    for level, (batch, channels, height, width) in enumerate(SHAPES):
        axes = torch.meshgrid(*(torch.arange(size) for size in (batch, channels // 4, 4, height, width)), indexing='ij')
        image, box, label, row, column = axes
        numbers = ((((image * 10 + level) * 10 + row) * 10 + column) * 10 + box) * 10 + label
        maps.append(numbers.flatten(1, 2).float().contiguous(memory_format=order))
    return maps


def test_boxes_of_a_cell_then_cells_then_levels():
    flat = flatten_levels(numbered(torch.contiguous_format), 4)
    assert flat.shape == (2, 15, 4)
    # Image, level, row, column, box, class.
    assert flat[0, [0, 1, 2, 6, 11, 12, 14], 0].tolist() == [0, 10, 100, 1000, 1210, 10000, 10020]
    assert flat[1, 3].tolist() == [100110, 100111, 100112, 100113]


@pytest.mark.parametrize('order', [torch.contiguous_format, torch.channels_last])
def test_all_ways_to_read_agree(order, limits):
    maps = numbered(order)
    logits = LevelLogits(maps, 4)
    flat = flatten_levels(maps, 4)
    assert torch.equal(logits.joined(), flat)
    assert torch.equal(logits.reduce(lambda part, axis: part.sum(axis)), flat.sum(2))
    rows, picked = logits.pick(torch.tensor([29, 0, 11, 12, 15, 16]))
    assert sorted(rows.tolist()) == [0, 11, 12, 15, 16, 29]
    assert torch.equal(picked, flat.flatten(0, 1)[rows])


@pytest.mark.parametrize('order', [torch.contiguous_format, torch.channels_last])
def test_gradient_keeps_the_order_of_the_map(order, limits):
    maps = [level.requires_grad_() for level in numbered(order)]
    _, picked = LevelLogits(maps, 4).pick(torch.tensor([0, 14, 20]))
    picked.sum().backward()
    expected = torch.zeros(2, 15)
    expected[0, [0, 14]] = 1
    expected[1, 5] = 1
    assert torch.equal(flatten_levels([level.grad for level in maps], 4), expected[..., None].expand(-1, -1, 4))


@pytest.mark.parametrize('order', [torch.contiguous_format, torch.channels_last])
def test_gradient_of_a_large_level_is_not_copied(order, monkeypatch):
    monkeypatch.setattr(levels, 'SMALL', 1)
    level = numbered(order)[0].requires_grad_()
    (grad,) = torch.autograd.grad(LevelLogits([level], 4).pick(torch.tensor([3]))[1].sum(), level)
    assert grad.is_contiguous(memory_format=order)


def test_half_precision_is_read_as_float32(limits):
    maps = [level.bfloat16() for level in numbered(torch.contiguous_format)]
    logits = LevelLogits(maps, 4)
    assert logits.joined().dtype == torch.float32
    assert logits.reduce(lambda part, axis: part.amax(axis)).dtype == torch.float32
    assert logits.pick(torch.tensor([0]))[1].dtype == torch.float32


def test_no_rows(limits):
    rows, picked = LevelLogits(numbered(torch.channels_last), 4).pick(torch.tensor([], dtype=torch.int64))
    assert (rows.shape, picked.shape) == ((0,), (0, 4))
