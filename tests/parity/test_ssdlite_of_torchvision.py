"""Converted weights of torchvision's SSDLite give torchvision's logits, deltas, boxes and detections."""

from pathlib import Path

import pytest
import torch
import torchvision_ssdlite
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from torchvision_ssdlite import IDS, Outputs

from ssd_plugin.converters.convert import convert
from ssd_plugin.models.dense_heads.levels import split_by_prior

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def detector():
    """The detector of the config with all of COCO's ids, which torchvision keeps."""
    model = Config.fromfile(ROOT / 'configs' / 'ssdlite' / 'ssdlite320_mobilenetv3-large_coco.py').model
    model.bbox_head.num_classes = IDS - 1
    converted = convert(torchvision_ssdlite.kept_weights(), 'torchvision-ssdlite', IDS - 1)
    register_all_modules()
    network = MODELS.build(model).eval()
    network.load_state_dict(converted.state_dict)  # strict: nothing is missing or left over
    return network


@pytest.fixture(scope='module')
def ours(detector):
    sample = DetDataSample(metainfo=dict(img_shape=(320, 320), ori_shape=(320, 320), scale_factor=(1.0, 1.0)))
    bgr = torch.from_numpy(torchvision_ssdlite.image()[..., ::-1].copy()).permute(2, 0, 1)
    head = detector.bbox_head
    with torch.no_grad():
        images = detector.data_preprocessor(dict(inputs=[bgr], data_samples=[sample]))['inputs']
        cls_scores, bbox_preds = head(detector.extract_feat(images))
        (found,) = detector.test_step(dict(inputs=[bgr], data_samples=[sample]))
    (logits,), (deltas,) = (
        torch.cat(split_by_prior(maps, width), 1) for maps, width in ((cls_scores, IDS), (bbox_preds, 4))
    )
    priors = head.priors(cls_scores)
    found = found.pred_instances
    detections = torch.cat([found.labels[:, None], found.scores[:, None], found.bboxes], 1)
    return Outputs(logits, deltas, priors, head.bbox_coder.decode(priors, deltas), detections)


def assert_same(ours, theirs):
    # The background is their first class and our last.
    torch.testing.assert_close(ours.logits.roll(1, 1), theirs.logits, rtol=0, atol=1e-4)

    corner, opposite = ours.priors.chunk(2, 1)
    sizes = opposite - corner
    # Theirs are no larger than the input; our converter makes up for it in the deltas.
    clipped = sizes.clamp(max=320)
    priors = torch.cat([corner + opposite - clipped, corner + opposite + clipped], 1) / 2
    torch.testing.assert_close(priors, theirs.priors, rtol=0, atol=1e-4)
    same = (sizes == clipped).all(1)
    assert 0 < (~same).sum() < same.sum()
    torch.testing.assert_close(ours.deltas[same], theirs.deltas[same], rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.decoded / 320, theirs.decoded / 320, rtol=0, atol=1e-5)

    assert len(ours.detections) == len(theirs.detections) == 300
    # Rounding may change the order of two. Their labels begin at 1.
    tolerance = torch.tensor([0.5, 1e-4, 0.01, 0.01, 0.01, 0.01])
    label = torch.tensor([1.0, 0, 0, 0, 0, 0])
    pairs = (((ours.detections + label)[:, None] - theirs.detections).abs() <= tolerance).all(2)
    assert pairs.any(0).all()
    assert pairs.any(1).all()


def test_same_as_was_kept_of_torchvision(ours):
    assert_same(torchvision_ssdlite.sample(ours), torchvision_ssdlite.kept_outputs())


def test_same_as_the_installed_torchvision(ours):
    pytest.importorskip('torchvision', reason='torchvision is not installed')
    weights, theirs = torchvision_ssdlite.run_torchvision()
    assert_same(ours, theirs)
    kept = torchvision_ssdlite.kept_weights()
    assert list(kept) == list(weights)
    assert all(torch.equal(kept[name], value) for name, value in weights.items())
    for ours_kept, value in zip(torchvision_ssdlite.kept_outputs(), torchvision_ssdlite.sample(theirs)):
        torch.testing.assert_close(ours_kept, value, rtol=0, atol=1e-3)


def test_as_many_parameters_as_published(detector):
    """torchvision's documentation of its weights."""
    assert sum(parameter.numel() for parameter in detector.parameters()) == 3_440_060
