import pytest
import torch

from ssd_plugin.models.dense_heads.levels import gather_rows, split_by_prior

# Two images, levels of 2x3 and 1x1 cells with 2 and 3 priors, 4 classes: 12 + 3 priors.
SHAPES = ((2, 8, 2, 3), (2, 12, 1, 1))


def numbered(order=torch.contiguous_format):
    """Maps whose entry tells its image, level, row, column, prior and class."""
    maps = []
    for level, (batch, channels, height, width) in enumerate(SHAPES):
        axes = torch.meshgrid(*(torch.arange(size) for size in (batch, channels // 4, 4, height, width)), indexing='ij')
        image, box, label, row, column = axes
        numbers = ((((image * 10 + level) * 10 + row) * 10 + column) * 10 + box) * 10 + label
        maps.append(numbers.flatten(1, 2).float().contiguous(memory_format=order))
    return maps


@pytest.mark.parametrize('order', [torch.contiguous_format, torch.channels_last])
def test_priors_of_a_cell_then_cells(order):
    first, second = split_by_prior(numbered(order), 4)
    assert (first.shape, second.shape) == ((2, 12, 4), (2, 3, 4))
    # Image, level, row, column, prior, class.
    assert first[0, [0, 1, 2, 6, 11], 0].tolist() == [0, 10, 100, 1000, 1210]
    assert second[0, [0, 2], 0].tolist() == [10000, 10020]
    assert first[1, 3].tolist() == [100110, 100111, 100112, 100113]


def test_channels_last_is_not_copied():
    maps = numbered(torch.channels_last)
    assert [level.data_ptr() for level in split_by_prior(maps, 4)] == [level.data_ptr() for level in maps]


@pytest.mark.parametrize('order', [torch.contiguous_format, torch.channels_last])
def test_rows_come_by_level_then_image_and_their_gradient_goes_back(order):
    maps = [level.requires_grad_() for level in numbered(order)]
    mask = torch.zeros((2, 15), dtype=torch.bool)
    mask[0, [0, 14]] = mask[1, 5] = True
    rows = gather_rows(split_by_prior(maps, 4), mask)
    assert rows[:, 0].tolist() == [0, 100210, 10020]
    marks = gather_rows(torch.split(mask.float(), [12, 3], 1), mask)
    assert marks.tolist() == [1, 1, 1]
    rows.sum().backward()
    grads = torch.cat(split_by_prior([level.grad for level in maps], 4), 1)
    assert torch.equal(grads, mask[..., None].expand(-1, -1, 4).float())


def test_no_rows():
    assert gather_rows(split_by_prior(numbered(), 4), torch.zeros((2, 15), dtype=torch.bool)).shape == (0, 4)
