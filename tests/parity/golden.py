"""Outputs of the authors' compiled C++ (tests/data/original_ssd), in our conventions.

Theirs are fractions of the image and count the background as class 0; ours are pixels of an input of 512, where their
numbers stay exact, and count it last.
"""

from pathlib import Path

import numpy as np
import torch
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.structures import InstanceData

from ssd_plugin.models.task_modules.assigners.batch_gt_instances import pad_gt_instances

FOLDER = Path(__file__).parents[1] / 'data' / 'original_ssd'
SIDE = 512


@TASK_UTILS.register_module()
class GivenPriors:
    """A prior generator of one level that gives the boxes it was told, one a cell of an Nx1 map."""

    num_base_priors = [1]
    num_levels = 1

    def __init__(self, boxes):
        self.boxes = boxes

    def grid_priors(self, featmap_sizes, dtype=torch.float32, device='cpu'):
        assert featmap_sizes == [(len(self.boxes), 1)]
        return [self.boxes.to(device=device, dtype=dtype)]


def load(name):
    """Arrays of a file without cases."""
    with np.load(FOLDER / f'{name}.npz') as arrays:
        return dict(arrays)


def load_cases(name):
    """One pytest parameter a case, a dict of its arrays."""
    arrays = load(name)
    cases = []
    for number, case in enumerate(arrays['cases']):
        prefix = f'{number}_'
        cases.append({key[len(prefix) :]: value for key, value in arrays.items() if key.startswith(prefix)})
        cases[-1]['id'] = f'{number} {case}'
    return cases


def pixels(boxes):
    """(..., 4) fractions to a tensor of pixels."""
    return torch.as_tensor(boxes, dtype=torch.float32) * SIDE


def background_last(values):
    return torch.as_tensor(values).roll(-1, -1)


def as_map(values):
    """(B, N, K) to what the head gives for an Nx1 map with one box a cell."""
    return torch.as_tensor(values).permute(0, 2, 1)[..., None].contiguous()


def from_map(values):
    return values[..., 0].permute(0, 2, 1)


def metas(count):
    return [dict(img_shape=(SIDE, SIDE), scale_factor=(1.0, 1.0))] * count


def make_head(priors, num_classes, ignore_cross_boundary=False):
    return MODELS.build(
        dict(
            type='ssd_plugin.SSDHead',
            num_classes=num_classes,
            in_channels=(1,),
            anchor_generator=dict(type='GivenPriors', boxes=pixels(priors)),
            train_cfg=dict(
                assigner=dict(type='ssd_plugin.SSDAssigner', ignore_cross_boundary=ignore_cross_boundary),
                sampler=dict(type='ssd_plugin.HardNegativeSampler'),
            ),
        )
    )


def assign(priors, gt_bboxes, input_size, ignore_cross_boundary):
    """What SSDAssigner gives for a batch: (B, N), index of the object, -1 for background or -2 for ignored.

    Args:
        priors: (N, 4) pixels.
        gt_bboxes: Per image (M, 4) pixels.
        input_size: (W, H) of all images.
        ignore_cross_boundary: The assigner's option.
    """
    instances = [InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes)).long()) for boxes in gt_bboxes]
    assigner = TASK_UTILS.build(dict(type='ssd_plugin.SSDAssigner', ignore_cross_boundary=ignore_cross_boundary))
    img_sizes = torch.tensor([input_size] * len(instances), dtype=torch.float32)
    return assigner.assign(priors, pad_gt_instances(instances, img_sizes), img_sizes=img_sizes)
