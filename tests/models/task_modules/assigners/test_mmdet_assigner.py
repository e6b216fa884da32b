import pytest
import torch
from mmdet.models.task_modules.assigners import (
    ATSSAssigner,
    CenterRegionAssigner,
    DynamicSoftLabelAssigner,
    GridAssigner,
    MaxIoUAssigner,
    PointAssigner,
    SimOTAAssigner,
    TaskAlignedAssigner,
    UniformAssigner,
)
from mmengine.structures import InstanceData

from ssd_plugin.errors import UserError
from ssd_plugin.models.task_modules.assigners import MMDetAssigner, get_img_sizes, pad_gt_instances

STRIDES = [(8.0, 8.0), (16.0, 16.0)]
# Two levels of cells with one box each, over 64x64 pixels.
SIZES = [64, 16]


def priors():
    levels = []
    for stride, cells in ((8, 8), (16, 4)):
        axis = (torch.arange(cells) + 0.5) * stride
        y, x = torch.meshgrid(axis, axis, indexing='ij')
        centre = torch.stack([x, y], -1).flatten(0, 1)
        levels.append(torch.cat([centre - stride, centre + stride], 1))
    return torch.cat(levels)


def batch(*images, labels=None):
    instances = [
        InstanceData(bboxes=torch.tensor(boxes).reshape(-1, 4), labels=torch.zeros(len(boxes), dtype=torch.int64))
        for boxes in images
    ]
    return pad_gt_instances(instances, get_img_sizes([dict(img_shape=(64, 64))] * len(images), torch.device('cpu')))


IMAGES = [[[4.0, 4, 20, 20]], [], [[0.0, 0, 0, 9], [30, 30, 62, 62], [2, 40, 16, 60]]]


@pytest.mark.parametrize(
    ('assigner', 'needs_predictions'),
    [
        (MaxIoUAssigner(0.5, 0.4, 0.1, gt_max_assign_all=False), False),
        (ATSSAssigner(topk=9), False),
        (ATSSAssigner(topk=9, alpha=0.8), True),
        (SimOTAAssigner(), True),
        (DynamicSoftLabelAssigner(topk=13), True),
        (TaskAlignedAssigner(topk=13), True),
        (CenterRegionAssigner(0.2, 0.5, 0.01), False),
        (PointAssigner(pos_num=3), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_batch_is_its_images(assigner, needs_predictions):
    adapter = MMDetAssigner(assigner, STRIDES)
    assert adapter.needs_predictions == needs_predictions
    generator = torch.Generator().manual_seed(0)
    found = adapter.assign(
        priors(),
        batch(*IMAGES),
        num_level_priors=SIZES,
        scores=torch.rand((3, 80, 1), generator=generator),
        bboxes=priors() + torch.rand((3, 80, 4), generator=generator),
    )
    assert found.shape == (3, 80)
    assert set(found[0].tolist()) - {-2} == {-1, 0}
    assert set(found[1].tolist()) == {-1}
    # The box without a width keeps its place, and gets nothing.
    assert set(found[2].tolist()) - {-2} == {-1, 1, 2}


def test_mmdets_numbers_become_ours():
    theirs = MaxIoUAssigner(pos_iou_thr=0.5, neg_iou_thr=0.4, min_pos_iou=0.1, gt_max_assign_all=False)
    gt = InstanceData(bboxes=torch.tensor(IMAGES[2][1:]), labels=torch.zeros(2, dtype=torch.int64))
    expected = theirs.assign(InstanceData(priors=priors()), gt).gt_inds
    found = MMDetAssigner(theirs, STRIDES).assign(priors(), batch(IMAGES[2][1:]), num_level_priors=SIZES)[0]
    assert (expected > 0).sum() > 0
    assert torch.equal(found == -1, expected == 0)
    assert torch.equal(found == -2, expected == -1)
    assert torch.equal(found.clamp(min=-1)[expected > 0], expected[expected > 0] - 1)


def test_ignore_regions_are_handed_on():
    adapter = MMDetAssigner(MaxIoUAssigner(0.5, 0.5, ignore_iof_thr=0.5), STRIDES)
    found = adapter.assign(
        priors(), batch(IMAGES[0]), batch_gt_ignore=batch([[32.0, 32, 64, 64]]), num_level_priors=SIZES
    )
    assert (found == -2).any()


@pytest.mark.parametrize('assigner', [GridAssigner(0.5, 0.5), UniformAssigner(0.15, 0.7)])
def test_assigners_of_other_heads_are_refused_when_built(assigner):
    with pytest.raises(UserError, match=f'^train_cfg.assigner: {type(assigner).__name__} cannot be fed') as caught:
        MMDetAssigner(assigner, STRIDES)
    assert '\n' not in str(caught.value)
