import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin.models.task_modules.prior_generators.ssd_anchor_generator import SSDAnchorGenerator

STRIDES_300 = (8, 16, 32, 64, 100, 300)
STRIDES_512 = (8, 16, 32, 64, 128, 256, 512)
MAPS_300 = (38, 19, 10, 5, 3, 1)
MAPS_512 = (64, 32, 16, 8, 4, 2, 1)
SETS = {
    '300 voc': dict(strides=STRIDES_300, basesize_ratio_range=(0.2, 0.9), input_size=300),
    '300 coco': dict(strides=STRIDES_300, basesize_ratio_range=(0.15, 0.9), input_size=300),
    '512 voc': dict(strides=STRIDES_512, basesize_ratio_range=(0.15, 0.9), input_size=512),
    '512 coco': dict(strides=STRIDES_512, basesize_ratio_range=(0.1, 0.9), input_size=512),
}
# Sides of the small and the large square, and of the wide boxes, at the first cell of every level.
FIRST_CELLS = {
    '300 voc': [
        (30, 42.4264, (42.4264, 21.2132)),
        (60, 81.6088, (84.8528, 42.4264), (103.9230, 34.6410)),
        (111, 134.0970, (156.9777, 78.4889), (192.2576, 64.0859)),
        (162, 185.7579, (229.1026, 114.5513), (280.5922, 93.5307)),
        (213, 237.1329, (301.2275, 150.6137)),
        (264, 288.3748, (373.3524, 186.6762)),
    ],
    '300 coco': [
        (21, 30.7409, (29.6985, 14.8492)),
        (45, 66.7458, (63.6396, 31.8198), (77.9423, 25.9808)),
        (99, 123.0731, (140.0071, 70.0036), (171.4730, 57.1577)),
        (153, 177.9635, (216.3747, 108.1873), (265.0038, 88.3346)),
        (207, 232.4371, (292.7422, 146.3711)),
        (261, 286.7316, (369.1097, 184.5549)),
    ],
    '512 voc': [
        (35, 51.5752, (49.4975, 24.7487)),
        (76, 107.8332, (107.4802, 53.7401), (131.6359, 43.8786)),
        (153, 187.5900, (216.3747, 108.1873), (265.0038, 88.3346)),
        (230, 265.7254, (325.2691, 162.6346), (398.3717, 132.7906)),
        (307, 343.3482, (434.1636, 217.0818), (531.7396, 177.2465)),
        (384, 420.2856, (543.0580, 271.5290)),
        (460, 497.0111, (650.5382, 325.2691)),
    ],
    '512 coco': [
        (20, 31.9374, (28.2843, 14.1421)),
        (51, 82.3590, (72.1249, 36.0624), (88.3346, 29.4449)),
        (133, 169.1006, (188.0904, 94.0452), (230.3628, 76.7876)),
        (215, 252.2697, (304.0559, 152.0280), (372.3909, 124.1303)),
        (296, 334.4966, (418.6072, 209.3036), (512.6870, 170.8957)),
        (378, 416.9892, (534.5727, 267.2864)),
        (460, 499.3195, (650.5382, 325.2691)),
    ],
}
CENTRES = {300: (4, 8, 16, 32, 50, 150), 512: (4, 8, 16, 32, 64, 128, 256)}
OFFSETS = {300: (0, 5776, 7942, 8542, 8692, 8728), 512: (0, 16384, 22528, 24064, 24448, 24544, 24560)}
# Sum of x1, sum of x2, mean width, boxes that cross the border per level.
SUMS = {
    '300 voc': (1106619.6073, 1559748.3927, 51.8929, (1356, 914, 427, 136, 34, 2)),
    '300 coco': (1157354.2948, 1509013.7052, 40.2725, (947, 699, 413, 130, 32, 2)),
    '512 voc': (5493362.0597, 7083405.9403, 64.7307, (2460, 1788, 828, 304, 88, 16, 2)),
    '512 coco': (5731921.4049, 6844846.5951, 45.3072, (1500, 1444, 788, 280, 88, 16, 2)),
}


def levels_of(config):
    maps = MAPS_300 if config['input_size'] == 300 else MAPS_512
    return SSDAnchorGenerator(**config).grid_priors([(side, side) for side in maps], device='cpu')


def shapes(boxes):
    """(x centre, y centre, width, height)."""
    return torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], 1)


@pytest.mark.parametrize('name', SETS)
def test_first_cell_of_every_level(name):
    dim = SETS[name]['input_size']
    boxes = torch.cat(levels_of(SETS[name]))
    for offset, centre, (small, large, *wides) in zip(OFFSETS[dim], CENTRES[dim], FIRST_CELLS[name]):
        expected = [(small, small), (large, large)]
        for width, height in wides:
            expected += [(width, height), (height, width)]
        expected = torch.tensor([(centre, centre, width, height) for width, height in expected])
        found = shapes(boxes[offset : offset + len(expected)])
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize('name', SETS)
def test_totals(name):
    config = SETS[name]
    levels = levels_of(config)
    boxes = torch.cat(levels).double()
    left, right, width, crossing = SUMS[name]
    assert len(boxes) == {300: 8732, 512: 24564}[config['input_size']]
    for axis in (0, 1):
        assert boxes[:, axis].sum().item() == pytest.approx(left, rel=1e-7)
        assert boxes[:, 2 + axis].sum().item() == pytest.approx(right, rel=1e-7)
        assert (boxes[:, 2 + axis] - boxes[:, axis]).mean().item() == pytest.approx(width, abs=1e-4)
    beyond = [(level[:, :2] < 0).any(1) | (level[:, 2:] > config['input_size']).any(1) for level in levels]
    assert tuple(int(level.sum()) for level in beyond) == crossing


def test_cells_run_along_x_first():
    boxes = shapes(levels_of(SETS['300 voc'])[0])
    torch.testing.assert_close(boxes[4], torch.tensor([12.0, 4, 30, 30]))
    torch.testing.assert_close(boxes[4 * 38], torch.tensor([4.0, 12, 30, 30]))


def test_sizes_keep_their_fractions_on_request():
    fractional = SSDAnchorGenerator(**SETS['512 voc'], truncate_sizes=False)
    assert fractional.min_sizes == pytest.approx([35.84, 76.8, 153.6, 230.4, 307.2, 384.0, 460.8])
    assert fractional.max_sizes == pytest.approx([76.8, 153.6, 230.4, 307.2, 384.0, 460.8, 537.6])
    whole = SSDAnchorGenerator(**SETS['512 voc'])
    assert whole.min_sizes == [35, 76, 153, 230, 307, 384, 460]
    assert whole.max_sizes == [76, 153, 230, 307, 384, 460, 537]


def test_given_sizes_are_truncated_as_derived_ones_are():
    given = dict(strides=[8, 16], ratios=[[2], [2]], min_sizes=[35.84, (76.8, 90)], max_sizes=[76.8, (153.6, None)])
    whole = SSDAnchorGenerator(**given)
    assert (whole.min_sizes, whole.max_sizes) == ([35, [76, 90]], [76, [153, None]])
    assert shapes(whole.base_anchors[0])[0].tolist() == [4, 4, 35, 35]
    fractional = SSDAnchorGenerator(**given, truncate_sizes=False)
    torch.testing.assert_close(shapes(fractional.base_anchors[0])[0], torch.tensor([4, 4, 35.84, 35.84]))


def test_clip_centers_moves_the_last_row_and_column_only():
    free, clipped = (torch.cat(levels_of({**SETS['300 voc'], 'clip_centers': clip})) for clip in (False, True))
    outside = (shapes(free)[:, :2] > 300).any(1)
    # The 10x10 map's last row and column, 19 cells of 6 boxes; 37.5 * 8 is 300 exactly and stays.
    assert outside.nonzero()[:, 0].min() >= 7942
    assert int(outside.sum()) == 19 * 6
    assert torch.equal(free[~outside], clipped[~outside])
    expected = torch.cat([shapes(free)[:, :2].clamp(max=300), shapes(free)[:, 2:]], 1)
    torch.testing.assert_close(shapes(clipped), expected)


def test_clip_centers_of_a_rectangle_as_box_type():
    generator = SSDAnchorGenerator(
        strides=[(20, 10)],
        ratios=[[]],
        min_sizes=[8],
        max_sizes=[None],
        input_size=(45, 12),
        clip_centers=True,
        use_box_type=True,
    )
    boxes = generator.grid_priors([(2, 3)], device='cpu')[0].tensor
    assert shapes(boxes).tolist() == [[x, y, 8, 8] for y in (5, 12) for x in (10, 30, 45)]


# Maps, ratios (per level), pairs (per level): the tilings of the paper's ablations (Tables 2 and 3).
TILINGS = {
    8732: ((38, 19, 10, 5, 3, 1), [[2], [2, 3], [2, 3], [2, 3], [2], [2]], [1] * 6),
    8764: ((38, 19, 10, 5, 3), [[2], [2, 3], [2, 3], [2, 3], [[2], [2]]], [1, 1, 1, 1, 2]),
    8942: ((38, 19, 10, 5), [[2], [2, 3], [2, 3], [[2, 3], [2, 3], [2]]], [1, 1, 1, 3]),
    9864: ((38, 19, 10), [[2], [[2], [2]], [[2, 3], [2, 3]]], [1, 2, 2]),
    9025: ((38, 19), [[2], [[2], [2, 3]]], [1, (2, 'no large square in the second pair')]),
    8664: ((19,), [[2, 3]], [4]),
    3880: ((38, 19, 10, 5, 3, 1), [[]] * 6, [1] * 6),
    7760: ((38, 19, 10, 5, 3, 1), [[2]] * 6, [1] * 6),
}


@pytest.mark.parametrize('total', TILINGS)
def test_number_of_boxes_of_the_ablations(total):
    maps, ratios, pairs = TILINGS[total]
    min_sizes, max_sizes = [], []
    for count in pairs:
        count, lacking = (count, False) if isinstance(count, int) else (count[0], True)
        min_sizes.append([30 + 20 * pair for pair in range(count)])
        max_sizes.append([40 + 20 * pair for pair in range(count)])
        if lacking:
            max_sizes[-1][-1] = None
    generator = SSDAnchorGenerator(strides=[8] * len(maps), ratios=ratios, min_sizes=min_sizes, max_sizes=max_sizes)
    priors = generator.grid_priors([(side, side) for side in maps], device='cpu')
    assert sum(map(len, priors)) == total
    assert [len(level) // side**2 for level, side in zip(priors, maps)] == generator.num_base_priors


def test_pairs_of_one_level_follow_each_other():
    generator = SSDAnchorGenerator(
        strides=[10], ratios=[[[2], [4]]], min_sizes=[[16, 25]], max_sizes=[[None, 36]], input_size=300
    )
    found = shapes(generator.base_anchors[0])[:, 2:]
    root = math.sqrt(2)
    expected = torch.tensor(
        [(16, 16), (16 * root, 16 / root), (16 / root, 16 * root), (25, 25), (30, 30), (50, 12.5), (12.5, 50)]
    )
    torch.testing.assert_close(found, expected)


def test_rectangular_steps_and_maps():
    generator = SSDAnchorGenerator(
        strides=[(20, 10)], ratios=[[]], min_sizes=[8], max_sizes=[None], input_size=(60, 20)
    )
    boxes = generator.grid_priors([(2, 3)], device='cpu')[0]
    centres = [[10, 5], [30, 5], [50, 5], [10, 15], [30, 15], [50, 15]]
    assert shapes(boxes)[:, :2].tolist() == centres
    assert shapes(boxes)[:, 2:].tolist() == [[8, 8]] * 6


def test_derived_sizes_follow_the_short_side():
    tall = SSDAnchorGenerator(**{**SETS['300 voc'], 'input_size': (300, 800)})
    assert tall.min_sizes == SSDAnchorGenerator(**SETS['300 voc']).min_sizes


@given(
    input_size=st.tuples(st.integers(64, 1500), st.integers(64, 1500)),
    levels=st.integers(1, 8),
    percents=st.tuples(st.integers(10, 50), st.integers(51, 120)),
    clip_centers=st.booleans(),
)
def test_boxes_of_any_input_size(input_size, levels, percents, clip_centers):
    steps = [8 * 2**level for level in range(levels)]
    maps = [tuple(-(-side // step) for side in reversed(input_size)) for step in steps]
    scales = percents[0] / 100, percents[1] / 100
    generator = SSDAnchorGenerator(steps, None, None, None, scales, input_size, clip_centers=clip_centers)
    levels_found = generator.grid_priors(maps, device='cpu')
    for level, (height, width), boxes_of_cell in zip(levels_found, maps, generator.num_base_priors):
        assert len(level) == height * width * boxes_of_cell
        x, y, box_width, box_height = shapes(level).T
        assert level.isfinite().all()
        assert (torch.minimum(box_width, box_height) > 1).all()
        # Squares and pairs of a wide and a tall box: as wide as high in all.
        assert box_width.sum() == pytest.approx(box_height.sum().item(), rel=1e-4)
        assert (torch.minimum(x, y) >= 0).all()
        if clip_centers:
            assert (x <= input_size[0] * (1 + 1e-6)).all()
            assert (y <= input_size[1] * (1 + 1e-6)).all()
    assert generator.min_sizes == sorted(generator.min_sizes)


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        (dict(strides=None), 'strides: None'),
        (dict(scale_major=True), 'scale_major: True'),
        (dict(min_sizes=[30] * 6), 'both or neither'),
        (dict(min_sizes=[30] * 5, max_sizes=[60] * 6), r"\{'min_sizes': 5\} entries, expected 6"),
        (dict(ratios=[[2]] * 7), r"\{'ratios': 7\} entries, expected 6"),
        (dict(basesize_ratio_range=(0.9, 0.2)), r'basesize_ratio_range=\(0.9, 0.2\)'),
        (dict(min_sizes=[-30] * 6, max_sizes=[60] * 6), 'min size -30'),
    ],
)
def test_bad_settings_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        SSDAnchorGenerator(**{'strides': STRIDES_300, **setting})


def test_repr():
    generator = SSDAnchorGenerator(strides=[8], ratios=[[2]], min_sizes=[30], max_sizes=[60])
    assert 'min_sizes=[30]' in repr(generator)
