"""One config of each family, with random weights: every default box of an ONNX file beside the detector's."""

from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from random_detector import ROOT
from test_suppression import METADATA
from torch import Tensor

from ssd_plugin.deployment.formats import write_onnx
from ssd_plugin.deployment.metadata import FileMetadata
from ssd_plugin.deployment.network import ExportableSSD
from ssd_plugin.models.dense_heads.levels import split_by_prior

pytestmark = pytest.mark.slow
FAMILIES = (
    'ssd/ssd300_vgg16_voc0712',
    'ssd/ssd512_vgg16_coco',
    'backbones/ssd300_r18_voc0712',
    'backbones/ssd300_vgg16bn_voc0712',
    'backbones/ssd300_mobilenetv2_voc0712',
    'ssdlite/ssdlite320_mobilenetv2_coco',
    pytest.param('ssdlite/ssdlite320_mobilenetv3-large_coco', marks=pytest.mark.slow),
    'bccd/ssd400x300_r18_bccd',
    'variants/ssd300_r18_fpn_bccd',
    'variants/ssd300_r18_pafpn_bccd',
    'variants/ssd300_r18_focal_bccd',
    'variants/ssd300_r18_multibox-loss_bccd',
)


def predictions(detector: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """Give scores and boxes of every default box, by the detector's own parts."""
    head = detector.bbox_head
    cls_scores, bbox_preds = head(detector.extract_feat(images))
    deltas = torch.cat(split_by_prior(bbox_preds, 4), 1)
    scores, bboxes = head._predictions(
        split_by_prior(cls_scores, head.cls_out_channels), deltas, head.priors(cls_scores)
    )
    if head.bbox_coder.clip_border:  # before suppression, and so in the network's file
        bboxes = bboxes.clamp(min=0).minimum(torch.tensor(detector.input_size * 2))
    return scores, bboxes


@pytest.mark.parametrize('name', FAMILIES)
def test_an_onnx_file_predicts_what_the_detector_predicts(name: str, tmp_path: Path) -> None:
    register_all_modules()
    torch.manual_seed(0)
    config = Config.fromfile(ROOT / 'configs' / f'{name}.py', import_custom_modules=False)
    detector = MODELS.build(config.model).eval()
    metadata = FileMetadata(**{**vars(METADATA), 'nms': 'outside'})
    path = tmp_path / 'file.onnx'
    write_onnx(ExportableSSD(detector, 'outside'), metadata, path)
    session = onnxruntime.InferenceSession(str(path))
    width, height = detector.input_size
    for batch in (1, 3):
        images = torch.randn(batch, 3, height, width)
        with torch.no_grad():
            scores, bboxes = predictions(detector, images)
        found = [torch.from_numpy(part) for part in session.run(None, {'images': images.numpy()})]
        torch.testing.assert_close(found[0], bboxes, rtol=0, atol=1e-2)
        torch.testing.assert_close(found[1], scores, rtol=0, atol=1e-3)
    assert scores.std() > 0
