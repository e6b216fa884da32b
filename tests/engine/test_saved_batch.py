"""A batch survives its file, which holds nothing but tensors and plain values."""

from pathlib import Path

import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData

from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.engine.saved_batch import describe_samples, pack_batch, save_batch, unpack_batch

BOXES = torch.tensor([[1.0, 2.0, 3.25, 4.0], [0.0, 0.0, float('nan'), 9.0]])


def batch() -> dict:
    boxes = InstanceData(bboxes=HorizontalBoxes(BOXES), labels=torch.tensor([2, 0]))
    first = DetDataSample(gt_instances=boxes, metainfo=dict(img_path='a/b.jpg', img_id=7, scale_factor=(0.5, 2.0)))
    empty = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    second = DetDataSample(gt_instances=empty, ignored_instances=boxes, metainfo=dict(img_id=8))
    return {'inputs': [torch.ones(3, 2, 2, dtype=torch.uint8)] * 2, 'data_samples': [first, second]}


def test_the_round_trip(tmp_path: Path) -> None:
    save_batch(tmp_path / 'x.pth', batch=pack_batch(batch()), iter=3)
    loaded = load_checkpoint_file(tmp_path / 'x.pth')
    assert loaded['iter'] == 3
    again = unpack_batch(loaded['batch'])
    assert [image.dtype for image in again['inputs']] == [torch.uint8] * 2
    first, second = again['data_samples']
    assert first.metainfo == dict(img_path='a/b.jpg', img_id=7, scale_factor=(0.5, 2.0))
    assert torch.equal(first.gt_instances.bboxes.isnan(), BOXES.isnan())
    assert torch.equal(first.gt_instances.bboxes.nan_to_num(), BOXES.nan_to_num())
    assert first.gt_instances.labels.tolist() == [2, 0]
    assert 'ignored_instances' not in first
    assert len(second.gt_instances) == 0
    assert len(second.ignored_instances) == 2


def test_images_and_boxes_are_named() -> None:
    assert describe_samples(pack_batch(batch())) == [
        'a/b.jpg: boxes [[1.0, 2.0, 3.2, 4.0], [0.0, 0.0, nan, 9.0]]',
        'image without a file: boxes []',
    ]
    assert describe_samples(pack_batch({'inputs': [torch.ones(2)]})) == []
