import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.models import DetDataPreprocessor
from mmengine.config import Config

from ssd_plugin.analysis.browse import browse, original_pixels
from ssd_plugin.box_ops import box_iou
from ssd_plugin.errors import UserError


def overlaps(default_boxes: np.ndarray, gt_bboxes: np.ndarray) -> torch.Tensor:
    return box_iou(torch.tensor(gt_bboxes)[:, None], torch.tensor(default_boxes))  # (M, P)


@pytest.mark.parametrize('split', ['train', 'val'])
def test_the_default_boxes_are_those_that_match(config: Config, split: str) -> None:
    browsed = browse(config, split, 3, 1, 0)
    samples = list(browsed.samples)
    assert len(samples) == browsed.number == (3 if split == 'train' else 2)
    assert len({sample.name for sample in samples}) == browsed.number
    assert browsed.classes == config.metainfo.classes
    assert len(browsed.palette) == 6
    for sample in samples:
        assert sample.pixels.shape == (300, 300, 3)
        assert len(sample.gt_bboxes) == len(sample.gt_labels)
        assert sum(sample.by_level) == len(sample.default_boxes)
        # Every object has a default box; every other box overlaps its object by half, and by more than another one.
        iou = overlaps(sample.default_boxes, sample.gt_bboxes)
        assert set(sample.gt_inds.tolist()) == set(range(len(sample.gt_bboxes)))
        own = iou[sample.gt_inds, range(len(sample.gt_inds))]
        assert int((own < 0.5).sum()) <= len(sample.gt_bboxes)
        assert float(own.median()) > 0.5


def test_held_out_objects_are_where_the_original_image_has_them(config: Config, shapes: Path) -> None:
    (sample, _) = browse(config, 'val', 99, 1, 0).samples
    dataset = json.loads((shapes / 'annotations' / 'val.json').read_text())
    image = next(image for image in dataset['images'] if image['file_name'] == sample.name)
    objects = [one['bbox'] for one in dataset['annotations'] if one['image_id'] == image['id']]
    expected = [[x, y, x + w, y + h] for x, y, w, h in objects]
    scale = np.array([300 / 96, 300 / 72] * 2)
    assert np.allclose(sample.gt_bboxes, np.array(expected) * scale, atol=1e-3)


def test_a_seed_repeats_itself_and_augmentations_differ(config: Config) -> None:
    first, second = (list(browse(config, 'train', 1, 2, 5).samples) for _ in range(2))
    assert [sample.name for sample in first] == [sample.name for sample in second]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, second))
    assert first[0].name == first[1].name
    assert not np.array_equal(first[0].pixels, first[1].pixels)


@pytest.mark.parametrize('settings', [{}, {'mean': [1, 2, 3], 'std': [4, 5, 6]}])
@pytest.mark.parametrize('bgr_to_rgb', [True, False])
def test_pixels_are_those_of_the_file(settings: dict, bgr_to_rgb: bool) -> None:
    bgr = torch.arange(75, dtype=torch.uint8).view(3, 5, 5)
    preprocessor = DetDataPreprocessor(bgr_to_rgb=bgr_to_rgb, **settings)
    (image,) = preprocessor({'inputs': [bgr], 'data_samples': None})['inputs']
    assert np.array_equal(original_pixels(preprocessor, image), bgr.flip(0).permute(1, 2, 0).numpy())


def test_a_head_without_default_boxes_is_named(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('ssd_plugin.analysis.browse.MODELS', SimpleNamespace(build=lambda _: torch.nn.Linear(1, 1)))
    with pytest.raises(UserError, match=r'^model\.bbox_head: NoneType, expected ssd_plugin\.SSDHead'):
        browse(config, 'train', 1, 1, 0)
